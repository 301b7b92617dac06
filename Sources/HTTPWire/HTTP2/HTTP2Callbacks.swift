// What libnghttp2 tells an HTTP/2 session, and what it asks for while it writes frames.
//
// Promises: callbacks only note: none calls anything outside of this room, so that the session cannot go away within
// one, and each keeps to what libnghttp2 allows there. `unsafe` as in HTTP2Session.
// Must not know: sockets, clocks, routes.

import CNghttp2

extension HTTP2Session {
    private static func of(_ data: UnsafeMutableRawPointer?) -> HTTP2Session {
        guard let data = unsafe data else { preconditionFailure("the session was given as user data") }
        return unsafe Unmanaged<HTTP2Session>.fromOpaque(data).takeUnretainedValue()
    }

    static func setCallbacks(_ callbacks: OpaquePointer) {
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, data in
            guard let frame = unsafe frame else { return 0 }
            let isRequest = unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
            unsafe HTTP2Session.of(data).beginBlock(of: frame.pointee.hd.stream_id, isRequest: isRequest)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, frame, name, nameCount, value, valueCount, _, data in
            guard let frame = unsafe frame else { return 0 }
            let session = unsafe HTTP2Session.of(data)
            let name = unsafe UnsafeBufferPointer(start: name, count: nameCount)
            let value = unsafe UnsafeBufferPointer(start: value, count: valueCount)
            let place = unsafe session.place(of: frame.pointee.hd.stream_id)
            guard unsafe !session.connection.streams.addField(name: name.span, value: value.span, at: place) else { return 0 }
            session.connection.failure = .enhanceYourCalm
            return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, bytes, count, data in
            let session = unsafe HTTP2Session.of(data)
            let chunk = unsafe UnsafeBufferPointer(start: bytes, count: count)
            unsafe session.connection.streams.addBody(chunk.span, at: session.place(of: id))
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, data in
            if let frame = unsafe frame { unsafe HTTP2Session.of(data).noteReceived(frame) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) { _, _, code, data in
            // More streams than there may be, before our SETTINGS were acknowledged.
            if code == NGHTTP2_ERR_REFUSED_STREAM.rawValue { unsafe HTTP2Session.of(data).connection.chargeOne() }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, data in
            if let frame = unsafe frame { unsafe HTTP2Session.of(data).noteSent(frame) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, _, data in
            let session = unsafe HTTP2Session.of(data)
            if let place = session.place(of: id) { session.connection.streams.close(place) }
            return 0
        }
    }

    private func beginBlock(of id: StreamID, isRequest: Bool) {
        connection.streams.beginBlock()
        guard isRequest else { return }
        if let place = connection.open(id) {
            unsafe nghttp2_session_set_stream_user_data(nghttp2, id, UnsafeMutableRawPointer(bitPattern: place + 1))
        } else {
            unsafe nghttp2_submit_rst_stream(nghttp2, 0, id, ErrorCode.refusedStream.rawValue)
        }
    }

    private func noteReceived(_ frame: UnsafePointer<nghttp2_frame>) {
        let header = unsafe frame.pointee.hd
        let isRequest = unsafe header.type == HTTP2Frame.headers && frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
        let place = header.stream_id == 0 ? nil : place(of: header.stream_id)
        if connection.noteReceived(header.type, flags: header.flags, at: place, isRequest: isRequest), let place {
            submitContinue(to: header.stream_id, at: place)
        }
    }

    private func submitContinue(to id: StreamID, at place: Int) {
        let (name, value): (StaticString, StaticString) = (":status", "100")
        var field = unsafe nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name.utf8Start), value: UnsafeMutablePointer(mutating: value.utf8Start),
            namelen: name.utf8CodeUnitCount, valuelen: value.utf8CodeUnitCount, flags: 0)
        let result = unsafe nghttp2_submit_headers(nghttp2, 0, id, nil, &field, 1, nil)
        connection.streams[place].isContinueQueued = result == 0
    }

    private func noteSent(_ frame: UnsafePointer<nghttp2_frame>) {
        let header = unsafe frame.pointee.hd
        var code: UInt32 = 0
        if header.type == HTTP2Frame.reset { code = unsafe frame.pointee.rst_stream.error_code }
        if header.type == HTTP2Frame.goAway { code = unsafe frame.pointee.goaway.error_code }
        let place = header.stream_id == 0 ? nil : place(of: header.stream_id)
        connection.noteSent(header.type, flags: header.flags, length: header.length, code: code, at: place)
    }

    /// Gives the library the next piece of an answer's body.
    static let readAnswer:
        @convention(c) (
            OpaquePointer?, Int32, UnsafeMutablePointer<UInt8>?, Int, UnsafeMutablePointer<UInt32>?,
            UnsafeMutablePointer<nghttp2_data_source>?, UnsafeMutableRawPointer?
        ) -> Int = { _, id, buffer, capacity, flags, _, data in
            let session = unsafe HTTP2Session.of(data)
            guard let buffer = unsafe buffer, let flags = unsafe flags, let place = session.place(of: id) else {
                return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
            }
            let sent = session.connection.streams[place].answerBytesSent
            let count = min(capacity, session.connection.streams[place].answer.count - sent)
            if count == 0, session.connection.streams[place].awaitsContent {
                session.connection.streams[place].isDeferred = true
                return Int(NGHTTP2_ERR_DEFERRED.rawValue)
            }
            unsafe session.connection.streams[place].answer.withUnsafeBufferPointer { answer in
                // Bounds: `count` is at most what is left of the answer, and at most the buffer's capacity.
                if let start = answer.baseAddress { unsafe buffer.update(from: start + sent, count: count) }
            }
            session.connection.streams.noteSent(count, at: place)
            if !session.connection.streams[place].awaitsContent,
                session.connection.streams[place].answerBytesSent == session.connection.streams[place].answer.count
            {
                unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            }
            return count
        }
}
