// What Glibc's Swift module leaves out (epoll, eventfd, accept4, the AF_ constants of socket
// addresses behind macros, malloc_trim), and hardware CRC-32C. Nothing here allocates, retries or blocks beyond
// the system call it names; every function returns what that call returned and leaves errno alone.
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli; RFC 3720 §B.4) of `length` bytes, continued from `crc` (0 to begin).
uint32_t cplatform_crc32c(uint32_t crc, const void *bytes, size_t length);

/// One ready descriptor: the token it was added with, and CPLATFORM_… bits.
struct cplatform_event {
  uint64_t token;
  uint32_t ready;
};

enum {
  CPLATFORM_READABLE = 1,   // EPOLLIN
  CPLATFORM_WRITABLE = 2,   // EPOLLOUT
  CPLATFORM_HANGUP = 4,     // EPOLLHUP or EPOLLERR; never asked for, always told
  CPLATFORM_EXCLUSIVE = 8,  // EPOLLEXCLUSIVE; only when adding
  CPLATFORM_ENDED = 16,     // EPOLLRDHUP
};

int cplatform_epoll_create(void);
int cplatform_epoll_add(int epoll, int fd, uint64_t token, uint32_t interest);
int cplatform_epoll_modify(int epoll, int fd, uint64_t token, uint32_t interest);
int cplatform_epoll_remove(int epoll, int fd);
/// At most 256 events a call, whatever `capacity` says.
int cplatform_epoll_wait(int epoll, struct cplatform_event *events, int capacity, int timeout_milliseconds);

/// A non-blocking eventfd, close-on-exec.
int cplatform_eventfd(void);

/// The 16 bytes of an IPv6 address as two numbers; IPv4 as ::ffff:a.b.c.d. Both zero where it is neither.
struct cplatform_address {
  uint64_t high;
  uint64_t low;
};

/// accept4(2) with SOCK_NONBLOCK | SOCK_CLOEXEC, and who it is: asked for later, a peer may be gone.
int cplatform_accept(int listener, struct cplatform_address *peer);

/// Processors that this process may run on (sched_getaffinity(2)); 0 where that cannot be said.
int cplatform_processor_count(void);

/// malloc_trim(3): returns free memory to the system.
void cplatform_give_back_memory(void);

#endif
