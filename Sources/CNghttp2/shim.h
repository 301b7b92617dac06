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

// A name or value that RFC 9113 §8.2.1 forbids makes the request malformed, in every version.
static inline int CNghttp2_on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                                             size_t name_count, const uint8_t *value, size_t value_count,
                                             uint8_t flags, void *owner) {
  return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

// An answer whose fields are more than can be sent: the stream must not hang.
static inline int CNghttp2_on_frame_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int error,
                                             void *owner) {
  if (frame->hd.type != NGHTTP2_HEADERS) return 0;
  return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_INTERNAL_ERROR);
}

// A server's session; NULL where memory is short. Windows are given back by the caller, who also says how much
// nuisance is too much: the library's own limits differ by version, and some versions count a CONTINUATION once for
// each piece that its header arrives in.
static inline nghttp2_session *CNghttp2_new_server(nghttp2_session_callbacks *callbacks,
                                                   size_t acknowledgements_max, size_t settings_entries_max) {
  nghttp2_session *session = NULL;
  nghttp2_option *option = NULL;
  if (nghttp2_option_new(&option) != 0) return NULL;
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_max_outbound_ack(option, acknowledgements_max);
  nghttp2_option_set_max_settings(option, settings_entries_max);
  if (nghttp2_option_set_stream_reset_rate_limit)
    nghttp2_option_set_stream_reset_rate_limit(option, UINT32_MAX, UINT32_MAX);
  // Ours, too: the library counts a CONTINUATION again each time it comes back to a header that is not whole.
  if (nghttp2_option_set_max_continuations) nghttp2_option_set_max_continuations(option, SIZE_MAX);
  if (nghttp2_option_set_glitch_rate_limit) nghttp2_option_set_glitch_rate_limit(option, UINT32_MAX, UINT32_MAX);
  nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, CNghttp2_on_invalid_header);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, CNghttp2_on_frame_not_sent);
  if (nghttp2_session_server_new2(&session, callbacks, NULL, option) != 0) session = NULL;
  nghttp2_option_del(option);
  return session;
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
