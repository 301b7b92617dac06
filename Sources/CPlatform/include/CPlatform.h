// What Glibc's Swift module leaves out, and hardware CRC-32C. Nothing here allocates or blocks but
// the system calls it names; every function returns what the system call returned, errno untouched.
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli; RFC 3720 §B.4) of `length` bytes, continued from `crc` (0 to begin).
uint32_t cplatform_crc32c(uint32_t crc, const void *bytes, size_t length);

#endif
