// libnghttp2, as Debian's libnghttp2-dev installs it (1.52 on bookworm, or newer). What Swift cannot say itself.
#ifndef CNGHTTP2_SHIM_H
#define CNGHTTP2_SHIM_H
#include <nghttp2/nghttp2.h>

// These came with later versions, and distributions took them into older ones, so that the version
// does not tell whether they are there. Weak: absent means NULL.
extern void nghttp2_option_set_stream_reset_rate_limit(nghttp2_option *option, uint64_t burst, uint64_t rate)
    __attribute__((weak));
extern void nghttp2_option_set_max_continuations(nghttp2_option *option, size_t count) __attribute__((weak));
extern void nghttp2_option_set_glitch_rate_limit(nghttp2_option *option, uint64_t burst, uint64_t rate)
    __attribute__((weak));

// Leaves it to the caller to say how much nuisance is too much: the library's own limits differ by version, and
// some versions count a CONTINUATION once for each piece that its header arrives in.
static inline void CNghttp2_leave_rates_to_caller(nghttp2_option *option) {
  if (nghttp2_option_set_stream_reset_rate_limit)
    nghttp2_option_set_stream_reset_rate_limit(option, UINT32_MAX, UINT32_MAX);
  if (nghttp2_option_set_max_continuations) nghttp2_option_set_max_continuations(option, SIZE_MAX);
  if (nghttp2_option_set_glitch_rate_limit) nghttp2_option_set_glitch_rate_limit(option, UINT32_MAX, UINT32_MAX);
}

// Newer versions deprecate what returns ssize_t, and have other names for it; the old ones stay.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"

static inline ssize_t CNghttp2_receive(nghttp2_session *session, const uint8_t *input, size_t count) {
  return nghttp2_session_mem_recv(session, input, count);
}

static inline ssize_t CNghttp2_send(nghttp2_session *session, const uint8_t **frame) {
  return nghttp2_session_mem_send(session, frame);
}

// An answer; its body, where `read` is not NULL, is asked for piece by piece.
static inline int CNghttp2_respond(nghttp2_session *session, int32_t stream, const nghttp2_nv *fields, size_t count,
                                   ssize_t (*read)(nghttp2_session *, int32_t, uint8_t *, size_t, uint32_t *,
                                                   nghttp2_data_source *, void *)) {
  nghttp2_data_provider provider = {{0}, read};
  return nghttp2_submit_response(session, stream, fields, count, read ? &provider : NULL);
}

#pragma clang diagnostic pop
#endif
