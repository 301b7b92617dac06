// libcrypto's SHA-256, as Debian's libssl-dev installs it (3.0 on bookworm, or newer), and what is made of it here.
// See Sources/CrispCallback/Digest.swift, the only file that uses it.
//
// These are the library's plain functions, not its EVP interface. OpenSSL 3 would rather have that one used, and says so
// by calling these deprecated; but EVP asks a table of providers for "SHA256" and allocates each time (0.3 µs, and 1.1 µs
// for an HMAC, where these take 0.05 and 0.15), can fail, reads a configuration file from the machine unless it is told
// not to, and links every cipher that there is: 3.8 MB, where these are 20 KB. These need no initialization and read
// nothing. Whoever brings TLS in here needs the rest anyway and may decide anew.
#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// SHA-256 (FIPS 180-4) of `count` bytes into the 32 at `digest`. The three calls cannot fail.
static inline void COpenSSL_sha256(const uint8_t *bytes, size_t count, uint8_t *digest) {
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, bytes, count);
  SHA256_Final(digest, &state);
  OPENSSL_cleanse(&state, sizeof state);
}

// An HMAC-SHA256 (RFC 2104) under way: what is hashed of the inner message, and the outer one's beginning.
typedef struct {
  SHA256_CTX inner;
  SHA256_CTX outer;
} COpenSSL_hmac;

static inline void COpenSSL_hmac_begin(COpenSSL_hmac *code, const uint8_t *key, size_t count) {
  uint8_t block[SHA256_CBLOCK] = {0};
  // RFC 2104 §2: a key longer than a block is replaced by its digest; a shorter one is filled up with zeros.
  if (count > sizeof block)
    COpenSSL_sha256(key, count, block);
  else if (count > 0)
    memcpy(block, key, count);
  for (size_t index = 0; index < sizeof block; index++) block[index] ^= 0x36;
  SHA256_Init(&code->inner);
  SHA256_Update(&code->inner, block, sizeof block);
  for (size_t index = 0; index < sizeof block; index++) block[index] ^= 0x36 ^ 0x5c;
  SHA256_Init(&code->outer);
  SHA256_Update(&code->outer, block, sizeof block);
  OPENSSL_cleanse(block, sizeof block);
}

static inline void COpenSSL_hmac_add(COpenSSL_hmac *code, const uint8_t *bytes, size_t count) {
  SHA256_Update(&code->inner, bytes, count);
}

// The code's 32 bytes into `digest`. Afterwards nothing of the key is left in `code`, which cannot be used any more.
static inline void COpenSSL_hmac_end(COpenSSL_hmac *code, uint8_t *digest) {
  SHA256_Final(digest, &code->inner);
  SHA256_Update(&code->outer, digest, SHA256_DIGEST_LENGTH);
  SHA256_Final(digest, &code->outer);
  OPENSSL_cleanse(code, sizeof *code);
}

// Whether `count` bytes are the same, in a time that does not depend on what they are.
static inline int COpenSSL_is_equal(const uint8_t *one, const uint8_t *other, size_t count) {
  return CRYPTO_memcmp(one, other, count) == 0;
}
#endif
