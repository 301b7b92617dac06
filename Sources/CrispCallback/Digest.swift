// SHA-256, HMAC-SHA256 and comparing in constant time: what secrets are kept and proved by.
//
// Promises: digests as FIPS 180-4 and RFC 2104 have them; comparing takes the same time whatever the bytes are,
// for equal lengths; what is derived from a key is wiped from the C library's memory. Nothing here can fail, and no
// configuration of the machine's OpenSSL is read.
// Must not know: what a secret is for. The only file that knows COpenSSL.

import COpenSSL

/// SHA-256 (FIPS 180-4).
public enum SHA256 {
    /// Bytes of a digest.
    public static let byteCount = 32

    /// The digest of `bytes`: 32 bytes.
    public static func digest(_ bytes: Span<UInt8>) -> [UInt8] {
        // Both pointers live in their closures; the function reads `count` bytes and writes 32.
        unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { digest, count in
            unsafe bytes.withUnsafeBufferPointer { bytes in
                unsafe COpenSSL_sha256(bytes.baseAddress, bytes.count, digest.baseAddress)
            }
            count = byteCount
        }
    }
}

/// HMAC-SHA256 (RFC 2104), of a message in one piece or in several.
public struct HMACSHA256 {
    private var state = COpenSSL_hmac()

    /// Begins a code under `key`, of any length.
    public init(key: Span<UInt8>) {
        unsafe key.withUnsafeBufferPointer { key in
            unsafe COpenSSL_hmac_begin(&state, key.baseAddress, key.count)
        }
    }

    /// Takes the next piece of the message.
    public mutating func add(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe COpenSSL_hmac_add(&state, bytes.baseAddress, bytes.count)
        }
    }

    /// The code of all pieces: 32 bytes. This is the end: what belonged to the key is wiped.
    public consuming func end() -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: SHA256.byteCount) { digest, count in
            unsafe COpenSSL_hmac_end(&state, digest.baseAddress)
            count = SHA256.byteCount
        }
    }

    /// The code of `message` under `key`: 32 bytes.
    public static func code(key: Span<UInt8>, message: Span<UInt8>) -> [UInt8] {
        var code = HMACSHA256(key: key)
        code.add(message)
        return code.end()
    }
}

/// Comparing what must not be guessed byte by byte.
public enum ConstantTime {
    /// Whether both are the same. How long that takes tells their lengths and nothing else; where a length is a
    /// secret, too, compare digests.
    public static func isEqual(_ one: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        guard one.count == other.count else { return false }
        // Bounds: both have `count` bytes. Of no bytes there may be no address; the function then reads none.
        return unsafe one.withUnsafeBufferPointer { one in
            unsafe other.withUnsafeBufferPointer { other in
                unsafe one.isEmpty || COpenSSL_is_equal(one.baseAddress, other.baseAddress, one.count) != 0
            }
        }
    }
}
