// One HTTP/2 connection as a state machine over libnghttp2 (RFC 9113): bytes in, requests out, answers in,
// bytes out. It and its callbacks (HTTP2Callbacks) are the only files that touch the library.
//
//     receive ──▶ walk (counts frames) ──▶ libnghttp2 ──callbacks──▶ streams ──next──▶ request
//     send ◀── outbox ◀── libnghttp2 ◀──────────────────────────── streams ◀──respond── answer
//
// Promises: what comes out does not depend on how the bytes were split; nothing grows beyond
// `HTTP2Limits` whatever the peer sends; after a connection error nothing is read any more.
// Must not know: sockets, clocks, routes.
//
// Every `unsafe` here is one of these. The library's session lives from `init` to `deinit`. The user
// data of a callback is this object, which calls the library and so outlives the callback. Buffers
// and frames given to a callback are read before it returns. What the library is given is copied by it
// before the call returns.

import CNghttp2

/// The server's end of one HTTP/2 connection by prior knowledge (RFC 9113 §3.3).
///
/// Not Sendable: one loop owns it. The caller owns input and output; it calls `receive`, then `next`
/// until nothing further is complete, then `send`.
@safe public final class HTTP2Session {
    /// A stream's identifier (RFC 9113 §5.1.1); never used twice on a connection.
    public typealias StreamID = Int32

    /// What is not frames.
    var connection: HTTP2Connection
    let nghttp2: OpaquePointer
    private var answerHead = HTTP2AnswerHead()

    /// A session that has queued its SETTINGS.
    public init(limits: HTTPLimits, http2Limits: HTTP2Limits = HTTP2Limits()) {
        precondition(limits.headBytesMax <= HTTPLimits.headBytesCeiling && limits.bodyBytesMax >= 0)
        precondition(http2Limits.concurrentStreamsMax > 0 && http2Limits.nuisanceBurst >= 0)
        connection = HTTP2Connection(limits: limits, http2Limits: http2Limits)
        unsafe nghttp2 = HTTP2Session.makeSession()
        unsafe nghttp2_session_set_user_data(nghttp2, Unmanaged.passUnretained(self).toOpaque())
        submitSettings()
    }

    deinit {
        unsafe nghttp2_session_del(nghttp2)
    }

    /// Reads all of `input`, which begins with the client's preface.
    ///
    /// After a connection error (RFC 9113 §5.4.1) GOAWAY is queued, `isFailed` is true, and nothing is
    /// read any more.
    /// - Parameter now: monotonic milliseconds, for the nuisance budget only.
    public func receive(_ input: Span<UInt8>, now: Int64) {
        guard !isFailed else { return }
        let stop = connection.charge(for: input, now: now)
        feed(input.extracting(0..<(stop?.end ?? input.count)))
        endLingering(now: now)
        settle()
        // Behind what the library has found wrong before it.
        if let stop { fail(stop.code) }
    }

    /// Resets with NO_ERROR (RFC 9113 §8.1) the streams that were answered before their request was
    /// whole, `HTTP2Limits.lingerMilliseconds` ago or more. `receive` does so as well; call it now and
    /// then while `incompleteCount` is not 0, and `send` behind it.
    public func endLingering(now: Int64) {
        while !isFailed, let place = connection.lingering(now: now) { reset(place, .noError) }
    }

    /// Times out the streams whose request is not whole, up to and including `stream`: they become
    /// `.refused` events of `next`, with `.headTimeout` or `.bodyTimeout`. Ids rise, so that those which
    /// began later are spared. What lingers behind its answer is reset at once.
    public func timeOutIncomplete(through stream: StreamID) {
        connection.streams.timeOutIncomplete(through: stream)
        while !isFailed, let place = connection.streams.lingering(since: .max, through: stream) { reset(place, .noError) }
    }

    /// Resets with CANCEL (RFC 9113 §7) the streams of whose answers their own windows have let less than `bytesMin` go in so
    /// many milliseconds. One that waits for the connection's window, which others use up, is spared. Call it now and then
    /// while there are streams, and `send` behind it.
    /// - Parameter isHeldUp: the peer has not taken what was sent, so that windows are not what holds answers up: that time
    ///   does not count.
    public func resetUntaken(now: Int64, isHeldUp: Bool, milliseconds: Int64, bytesMin: Int) {
        guard !isFailed else { return }
        let places = connection.streams.untaken(now: now, isHeldUp: isHeldUp, milliseconds: milliseconds, bytesMin: bytesMin)
        for place in places {
            if unsafe nghttp2_session_get_stream_remote_window_size(nghttp2, connection.streams[place].id) > 0 {
                connection.streams.renewUnsent(place, now: now)
            } else {
                reset(place, .cancel)
            }
        }
    }

    /// Whether the peer's window of the connection is used up: no answer at all can go.
    public var isWindowClosed: Bool { unsafe !isFailed && nghttp2_session_get_remote_window_size(nghttp2) <= 0 }

    /// Answers a request, or a refused one. Nothing happens where the stream is gone, or answered.
    ///
    /// HEAD gets the fields of GET without the body (RFC 9110 §9.3.2). Names go out in lower case
    /// (RFC 9113 §8.2); a byte of a value that no value can have is sent as a space.
    /// - Parameter date: the time of the answer.
    public func respond(_ response: borrowing Response, to stream: StreamID, date: HTTPDate) {
        guard let place = place(of: stream), connection.streams[place].phase == .taken else { return }
        precondition(200...599 ~= response.status, "a final status")
        let sendsBody = response.hasContent && !connection.streams[place].isHead && !response.body.isEmpty
        answerHead.layOut(response, date: date)
        let result = submitAnswer(to: stream, sendsBody: sendsBody, isLong: response.body.count > HTTP2Limits.shortAnswerBytesMax)
        if sendsBody { connection.streams[place].answer.append(response.body.span) }
        connection.streams.noteAnswer(at: place, headBytes: answerHead.values.count, now: connection.now)
        failUnless(result)
    }

    /// Begins an answer whose content follows piece by piece, by `append` and then `endContent` or `breakOff`. HEAD gets the
    /// head alone.
    /// - Parameter response: its body is empty.
    /// - Returns: whether content follows; not where the stream is gone, or answered.
    public func beginContent(_ response: borrowing Response, to stream: StreamID, date: HTTPDate) -> Bool {
        guard let place = place(of: stream), connection.streams[place].phase == .taken else { return false }
        precondition(200...599 ~= response.status && response.body.isEmpty && response.hasContent, "the content follows")
        let follows = !connection.streams[place].isHead
        answerHead.layOut(response, date: date, contentFollows: true)
        let result = submitAnswer(to: stream, sendsBody: follows, isLong: true)
        connection.streams[place].awaitsContent = follows
        connection.streams.noteAnswer(at: place, headBytes: answerHead.values.count, now: connection.now)
        failUnless(result)
        return follows
    }

    /// A piece of the content. Nothing happens where none follows any more.
    public func append(content: Span<UInt8>, to stream: StreamID) {
        guard content.count > 0, let place = place(of: stream), connection.streams[place].awaitsContent else { return }
        connection.streams.append(content: content, at: place, now: connection.now)
        resume(place)
    }

    /// The content is whole. Nothing happens where none follows any more.
    public func endContent(of stream: StreamID) {
        guard let place = place(of: stream), connection.streams[place].awaitsContent else { return }
        connection.streams[place].awaitsContent = false
        resume(place)
    }

    /// The content cannot be had whole: RST_STREAM INTERNAL_ERROR (RFC 9113 §8.1), in the place of what is unsent.
    public func breakOff(_ stream: StreamID) {
        guard let place = place(of: stream), connection.streams[place].awaitsContent else { return }
        connection.streams[place].awaitsContent = false
        reset(place, .internalError)
    }

    /// Refuses without an answer: RST_STREAM REFUSED_STREAM (RFC 9113 §8.7). Nothing was done with the
    /// request, so that the client may send it again.
    public func refuseUnprocessed(_ stream: StreamID) {
        if let place = place(of: stream) { reset(place, .refusedStream) }
    }

    /// Whether there are answers, and the peer's windows allow none of them to be sent now.
    public var isWaitingForWindow: Bool {
        unsafe !isFailed && connection.outbox.isEmpty && connection.streams.unsentBytes > 0
            && nghttp2_session_want_write(nghttp2) == 0
    }

    /// Appends frames that may go now, until `output.count` is `bytesMax` or a frame more, or nothing is
    /// left that the peer's windows allow. A frame is never split.
    public func send(into output: inout [UInt8], bytesMax: Int) {
        flushOutbox(to: &output, bytesMax: bytesMax)
        giveBackWindow()
        while !isFailed, output.count < bytesMax, let frame = unsafe nextFrame() {
            unsafe output.append(contentsOf: frame)
        }
        concludeFailure()
        if connection.isNuisance { fail(.enhanceYourCalm) }
        flushOutbox(to: &output, bytesMax: bytesMax)
    }

    /// Begins a graceful end (RFC 9113 §6.8): GOAWAY with the highest stream id there can be, and a
    /// PING. When that is answered, or `endShutdown` is called, the final GOAWAY follows.
    public func beginShutdown() {
        guard !isFailed, !connection.isShuttingDown else { return }
        connection.noteShutdown(isFinal: false)
        failUnless(unsafe nghttp2_submit_shutdown_notice(nghttp2) | nghttp2_submit_ping(nghttp2, 0, nil))
    }

    /// Sends the final GOAWAY, with the highest stream that was accepted. Those up to it are served,
    /// later ones are not.
    public func endShutdown() {
        guard !isFailed, !connection.isFinal else { return }
        connection.noteShutdown(isFinal: true)
        failUnless(unsafe nghttp2_submit_goaway(nghttp2, 0, newestStream, ErrorCode.noError.rawValue, nil, 0))
    }

    /// Ends at once: GOAWAY with this code, no stream is left, nothing is read or answered any more.
    public func fail(_ code: ErrorCode) {
        connection.fail(code)
    }
}

// MARK: - With the library

extension HTTP2Session {
    /// A server's session with our callbacks. Out of memory is the one failure there is.
    private static func makeSession() -> OpaquePointer {
        var callbacks: OpaquePointer?
        unsafe nghttp2_session_callbacks_new(&callbacks)
        guard let callbacks = unsafe callbacks else { preconditionFailure("memory for a session") }
        unsafe setCallbacks(callbacks)
        let session = unsafe CNghttp2_new_server(
            callbacks, HTTP2Limits.acknowledgementsMax, HTTP2Limits.settingsEntriesMax)
        unsafe nghttp2_session_callbacks_del(callbacks)
        guard let session = unsafe session else { preconditionFailure("memory for a session") }
        return unsafe session
    }

    /// Queues our SETTINGS (RFC 9113 §6.5.2), and the connection's window.
    private func submitSettings() {
        func entry(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
            nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(clamping: value))
        }
        let entries = [
            entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, connection.http2Limits.concurrentStreamsMax),
            entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, HTTP2Limits.streamWindowBytes(connection.limits)),
            entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, connection.limits.headBytesMax),
            // RFC 9218 §2.1: the priority tree of RFC 7540 is not kept, and nothing for it either.
            entry(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
        ]
        var result = unsafe nghttp2_submit_settings(nghttp2, 0, entries, entries.count)
        if result == 0 {
            result = unsafe nghttp2_session_set_local_window_size(
                nghttp2, 0, 0, Int32(connection.http2Limits.connectionWindowBytes(connection.limits)))
        }
        failUnless(result)
    }

    /// What the library returns is 0, or it is out of memory, or we used it wrongly.
    private func failUnless(_ result: CInt) {
        if result != 0 { fail(.internalError) }
    }

    private func feed(_ input: Span<UInt8>) {
        guard input.count > 0 else { return }
        let result = unsafe input.withUnsafeBufferPointer { buffer in
            unsafe CNghttp2_receive(nghttp2, buffer.baseAddress, buffer.count)
        }
        guard result < 0 else { return }
        // The library may only be thrown away after any of these.
        switch result {
        case Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue): fail(connection.failure ?? .internalError)
        case Int(NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue): fail(.protocolError)
        case Int(NGHTTP2_ERR_NOMEM.rawValue): fail(.internalError)
        default: fail(.enhanceYourCalm)
        }
    }

    /// What follows from the input, once the library has returned.
    private func settle() {
        if connection.isPingAnswered { endShutdown() }
        while !isFailed, connection.holdsTooMuch, let place = connection.streams.newestIncomplete() {
            reset(place, .refusedStream)
        }
        giveBackWindow()
        // Control frames are taken out at once: a connection error shows in its GOAWAY only.
        while !isFailed, unsafe nghttp2_session_get_outbound_queue_size(nghttp2) > 0, let frame = unsafe nextFrame() {
            unsafe connection.outbox.append(contentsOf: frame)
        }
        concludeFailure()
        if connection.isNuisance { fail(.enhanceYourCalm) }
    }

    /// The next frame, nil without one. It holds until the library is called again.
    private func nextFrame() -> UnsafeBufferPointer<UInt8>? {
        var frame: UnsafePointer<UInt8>?
        let count = unsafe CNghttp2_send(nghttp2, &frame)
        if count < 0 { fail(.internalError) }
        return count > 0 ? unsafe UnsafeBufferPointer(start: frame, count: count) : nil
    }

    private func flushOutbox(to output: inout [UInt8], bytesMax: Int) {
        guard !connection.outbox.isEmpty, output.count < bytesMax else { return }
        output.append(connection.outbox.span)
        let isSmall = connection.outbox.capacity <= HTTP2Limits.keptOutboxBytesMax
        connection.outbox.removeAll(keepingCapacity: isSmall)
    }

    /// What callbacks found while frames were written.
    private func concludeFailure() {
        if connection.hasGoneAway, !isFailed { connection.concludeFailure() }
        if let failure = connection.failure { fail(failure) }
    }

    private func giveBackWindow() {
        let owed = connection.streams.owedWindowBytes
        guard owed > 0, !isFailed else { return }
        connection.streams.owedWindowBytes = 0
        failUnless(unsafe nghttp2_session_consume_connection(nghttp2, owed))
    }

    /// Resets a stream, and forgets it at once: the library does so when the frame has gone.
    private func reset(_ place: Int, _ code: ErrorCode) {
        let id = connection.streams[place].id
        unsafe nghttp2_session_set_stream_user_data(nghttp2, id, nil)
        connection.streams.close(place)
        unsafe nghttp2_submit_rst_stream(nghttp2, 0, id, code.rawValue)
    }

    /// Where the stream is in the table; nil where it is gone. The library keeps it, plus one, as the
    /// stream's user data, and forgets it when the stream is closed.
    func place(of stream: StreamID) -> Int? {
        guard !isFailed else { return nil }
        let data = unsafe nghttp2_session_get_stream_user_data(nghttp2, stream)
        return unsafe data.map { Int(bitPattern: $0) - 1 }
    }

    /// Queues an answer of the fields laid out; a long one takes turns with others.
    private func submitAnswer(to stream: StreamID, sendsBody: Bool, isLong: Bool) -> CInt {
        let result = unsafe withAnswerFields { fields in
            // The library copies names and values, and writes names in lower case.
            unsafe CNghttp2_respond(
                nghttp2, stream, fields.baseAddress, fields.count, sendsBody ? HTTP2Session.readAnswer : nil)
        }
        if isLong {
            // RFC 9218 §4.2: frame by frame in turn with others. Short answers go whole, and between.
            var priority = nghttp2_extpri(urgency: UInt32(NGHTTP2_EXTPRI_DEFAULT_URGENCY), inc: 1)
            unsafe nghttp2_session_change_extpri_stream_priority(nghttp2, stream, &priority, 1)
        }
        return result
    }

    /// Content has come, or its end, that the library had asked for in vain.
    private func resume(_ place: Int) {
        guard connection.streams[place].isDeferred else { return }
        connection.streams[place].isDeferred = false
        failUnless(unsafe nghttp2_session_resume_data(nghttp2, connection.streams[place].id))
    }

    /// The answer's fields as the library wants them, on the stack.
    private func withAnswerFields(_ body: (UnsafeBufferPointer<nghttp2_nv>) -> CInt) -> CInt {
        let count = answerHead.fields.count
        return unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: count) { fields in
            unsafe answerHead.values.withUnsafeBufferPointer { values in
                var start = 0
                for (index, field) in answerHead.fields.enumerated() {
                    // Neither is written to, for all that the type says.
                    unsafe fields.initializeElement(at: index, to: nghttp2_nv(
                        name: UnsafeMutablePointer(mutating: field.name.utf8Start),
                        value: UnsafeMutablePointer(mutating: values.baseAddress.map { unsafe $0 + start }),
                        namelen: field.name.utf8CodeUnitCount, valuelen: field.valueEnd - start, flags: 0))
                    start = field.valueEnd
                }
                return unsafe body(UnsafeBufferPointer(fields))
            }
        }
    }
}
