// The thin side of the shim: epoll, eventfd, accept4 and processor affinity with plain types.
#define _GNU_SOURCE
#include <malloc.h>
#include "CPlatform.h"
#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

enum { EVENTS_MAX = 256 };

static uint32_t interest_of(uint32_t bits) {
  uint32_t events = 0;
  if (bits & CPLATFORM_READABLE) events |= EPOLLIN;
  if (bits & CPLATFORM_WRITABLE) events |= EPOLLOUT;
  if (bits & CPLATFORM_EXCLUSIVE) events |= EPOLLEXCLUSIVE;
  if (bits & CPLATFORM_ENDED) events |= EPOLLRDHUP;
  return events;
}

int cplatform_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static int control(int epoll, int operation, int fd, uint64_t token, uint32_t interest) {
  struct epoll_event event = {.events = interest_of(interest), .data = {.u64 = token}};
  return epoll_ctl(epoll, operation, fd, &event);
}

int cplatform_epoll_add(int epoll, int fd, uint64_t token, uint32_t interest) {
  return control(epoll, EPOLL_CTL_ADD, fd, token, interest);
}

int cplatform_epoll_modify(int epoll, int fd, uint64_t token, uint32_t interest) {
  return control(epoll, EPOLL_CTL_MOD, fd, token, interest);
}

int cplatform_epoll_remove(int epoll, int fd) { return control(epoll, EPOLL_CTL_DEL, fd, 0, 0); }

int cplatform_epoll_wait(int epoll, struct cplatform_event *out, int capacity, int timeout_milliseconds) {
  struct epoll_event events[EVENTS_MAX];
  if (capacity > EVENTS_MAX) capacity = EVENTS_MAX;
  int count = epoll_wait(epoll, events, capacity, timeout_milliseconds);
  for (int i = 0; i < count; i++) {
    uint32_t bits = 0;
    if (events[i].events & EPOLLIN) bits |= CPLATFORM_READABLE;
    if (events[i].events & EPOLLOUT) bits |= CPLATFORM_WRITABLE;
    if (events[i].events & (EPOLLHUP | EPOLLERR)) bits |= CPLATFORM_HANGUP;
    if (events[i].events & EPOLLRDHUP) bits |= CPLATFORM_ENDED;
    out[i].token = events[i].data.u64;
    out[i].ready = bits;
  }
  return count;
}

int cplatform_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

int cplatform_accept(int listener, struct cplatform_address *peer) {
  union {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    struct sockaddr_storage storage;
  } address = {.any = {.sa_family = AF_UNSPEC}};
  socklen_t length = sizeof address;
  int fd = accept4(listener, &address.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  peer->high = peer->low = 0;
  if (fd < 0) return fd;
  if (address.any.sa_family == AF_INET) {
    peer->low = 0xffff00000000u | ntohl(address.ipv4.sin_addr.s_addr);
  } else if (address.any.sa_family == AF_INET6) {
    uint64_t halves[2];
    memcpy(halves, &address.ipv6.sin6_addr, sizeof halves);
    peer->high = be64toh(halves[0]);
    peer->low = be64toh(halves[1]);
  }
  return fd;
}

int cplatform_processor_count(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

void cplatform_give_back_memory(void) { malloc_trim(0); }
