// One HTTP/2 connection as a state machine over libnghttp2 (RFC 9113): bytes in, requests out, answers in,
// bytes out. The only file that touches the library.
//
//     receive ──▶ walk (counts frames) ──▶ libnghttp2 ──callbacks──▶ streams ──next──▶ request
//     send ◀── outbox ◀── libnghttp2 ◀──────────────────────────── streams ◀──respond── answer
//
// Promises: what comes out does not depend on how the bytes were split; nothing grows beyond
// `HTTP2Limits` whatever the peer sends; after a connection error nothing is read any more.
// Callbacks only note: none calls anything outside of this room, so that the session cannot go away
// within one, and each keeps to what libnghttp2 allows there.
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

    /// What `next` has to say.
    public enum Event: Equatable, Sendable {
        /// Nothing further is complete.
        case needsMore
        /// The request is complete with its body. Answer it with `respond`, whenever.
        case request(StreamID)
        /// It cannot be taken: answer it with `respond`, from `Refusal.status` and `.detail`. What is
        /// known of it is in the request. The rest of its body is not awaited: after the answer the
        /// stream is reset with NO_ERROR (RFC 9113 §8.1).
        case refused(StreamID, Refusal)
    }

    private let limits: HTTPLimits
    private let http2Limits: HTTP2Limits
    private let nghttp2: OpaquePointer
    private var walk = HTTP2FrameWalk()
    private var nuisances: NuisanceBudget
    private var streams: HTTP2Streams
    /// Whole frames that wait for `send`.
    private var outbox: [UInt8] = []
    /// The values of the answer that is being encoded.
    private var values: [UInt8] = []
    /// Why a callback had the library stop; `fail` says it when the library has returned.
    private var failure: ErrorCode?
    private var isShuttingDown = false, isFinal = false, isLeft = false
    private var isPingAnswered = false

    /// A session that has queued its SETTINGS.
    public init(limits: HTTPLimits, http2Limits: HTTP2Limits = HTTP2Limits()) {
        precondition(limits.headBytesMax <= HTTPLimits.headBytesCeiling && limits.bodyBytesMax >= 0)
        precondition(http2Limits.concurrentStreamsMax > 0 && http2Limits.nuisanceBurst >= 0)
        self.limits = limits
        self.http2Limits = http2Limits
        nuisances = NuisanceBudget(burst: http2Limits.nuisanceBurst, perSecond: http2Limits.nuisancesPerSecond)
        streams = HTTP2Streams(limits: limits)
        unsafe nghttp2 = HTTP2Session.makeSession()
        unsafe nghttp2_session_set_user_data(nghttp2, Unmanaged.passUnretained(self).toOpaque())
        submitSettings()
    }

    deinit {
        unsafe nghttp2_session_del(nghttp2)
    }

    // MARK: What deadlines, back-pressure and closing depend on

    /// Streams whose request is not whole, an open header block included.
    public var incompleteCount: Int { streams.incompleteCount }
    /// Requests given out by `next` and not answered, whose stream is still open.
    public var unansweredCount: Int { streams.unansweredCount }
    /// Bytes of answers that wait for the peer's windows or for `send`, and of control frames.
    public var unsentBytes: Int { streams.unsentBytes + outbox.count }
    /// Whether there are answers, and the peer's windows allow none of them to be sent now.
    public var isWaitingForWindow: Bool {
        unsafe !isFailed && outbox.isEmpty && streams.unsentBytes > 0 && nghttp2_session_want_write(nghttp2) == 0
    }
    /// Bytes of heads and bodies of requests that are incomplete or not yet taken.
    public var heldBytes: Int { streams.heldBytes }
    /// Whether the client's preface and first SETTINGS have come (RFC 9113 §3.4).
    public private(set) var isReady = false
    /// Whether a connection error has ended it (RFC 9113 §5.4.1).
    public private(set) var isFailed = false
    /// Whether no stream is left and none will come, after a final GOAWAY of either side. Once the
    /// output is flushed, close.
    public var isDone: Bool { isFailed || ((isFinal || isLeft) && streams.count == 0) }
    /// The highest stream id the client has opened; 0 before.
    public var newestStream: StreamID { streams.newest }

    // MARK: Requests

    /// Reads all of `input`, which begins with the client's preface.
    /// - Parameter now: monotonic milliseconds, for the nuisance budget only.
    public func receive(_ input: Span<UInt8>, now: Int64) {
        guard !isFailed else { return }
        nuisances.refill(now: now)
        let end = walk.walk(input, charging: &nuisances)
        feed(input.extracting(0..<(end ?? input.count)))
        if end != nil { fail(.enhanceYourCalm) }
        settle()
    }

    /// The next request that is complete or refused, in the order in which they became so. A stream
    /// that was reset meanwhile never comes.
    /// - Parameter request: changes places with the stream's, so that its capacity goes round.
    public func next(into request: inout Request) -> Event {
        guard let place = streams.take(into: &request) else { return .needsMore }
        return streams[place].refusal.map { .refused(streams[place].id, $0) } ?? .request(streams[place].id)
    }

    /// Times out the streams whose request is not whole, up to and including `stream`: they become
    /// `.refused` events, with `.headTimeout` or `.bodyTimeout`. Ids rise, so that those which began
    /// later are spared.
    public func timeOutIncomplete(through stream: StreamID) {
        streams.timeOutIncomplete(through: stream)
    }

    // MARK: Answers

    /// Answers a request, or a refused one. Nothing happens where the stream is gone, or answered.
    ///
    /// HEAD gets the fields of GET without the body (RFC 9110 §9.3.2). Names go out in lower case
    /// (RFC 9113 §8.2); a byte of a value that no value can have is sent as a space.
    /// - Parameter date: the time of the answer.
    public func respond(_ response: borrowing Response, to stream: StreamID, date: HTTPDate) {
        guard let place = place(of: stream), streams[place].phase == .taken else { return }
        let sendsBody = response.hasContent && !streams[place].isHead && !response.body.isEmpty
        if sendsBody { streams[place].answer.append(response.body.span) }
        let count = unsafe withFields(of: response, date: date) { fields in
            // The library copies names and values, and writes names in lower case.
            unsafe CNghttp2_respond(
                nghttp2, stream, fields.baseAddress, fields.count, sendsBody ? HTTP2Session.readAnswer : nil)
        }
        streams.noteAnswer(at: place, headBytes: values.count)
        if count != 0 { fail(.internalError) }
    }

    /// Refuses without an answer: RST_STREAM REFUSED_STREAM (RFC 9113 §8.7). Nothing was done with the
    /// request, so that the client may send it again.
    public func refuseUnprocessed(_ stream: StreamID) {
        guard let place = place(of: stream) else { return }
        reset(place, .refusedStream)
    }

    /// Appends frames that may go now, until `output.count` is about `bytesMax` or more, or nothing is
    /// left that the peer's windows allow. A frame is never split.
    public func send(into output: inout [UInt8], bytesMax: Int) {
        if !outbox.isEmpty, output.count < bytesMax {
            output.append(outbox.span)
            outbox.removeAll(keepingCapacity: outbox.capacity <= HTTP2Limits.keptOutboxBytesMax)
        }
        giveBackWindow()
        while !isFailed, output.count < bytesMax, appendFrame(to: &output) {}
        concludeFailure()
        // What failing had to say.
        if isFailed, output.count < bytesMax, !outbox.isEmpty {
            output.append(outbox.span)
            outbox = []
        }
    }

    // MARK: Ends

    /// Begins a graceful end (RFC 9113 §6.8): GOAWAY with the highest stream id there can be, and a
    /// PING. When that is answered, or `endShutdown` is called, the final GOAWAY follows.
    public func beginShutdown() {
        guard !isFailed, !isShuttingDown else { return }
        isShuttingDown = true
        let result = unsafe nghttp2_submit_shutdown_notice(nghttp2) | nghttp2_submit_ping(nghttp2, 0, nil)
        if result != 0 { fail(.internalError) }
    }

    /// Sends the final GOAWAY, with the highest stream that was accepted. Those up to it are served,
    /// later ones are not.
    public func endShutdown() {
        guard !isFailed, !isFinal else { return }
        isShuttingDown = true
        isFinal = true
        let result = unsafe nghttp2_submit_goaway(
            nghttp2, 0, streams.newest, ErrorCode.noError.rawValue, nil, 0)
        if result != 0 { fail(.internalError) }
    }

    /// Ends at once: GOAWAY with this code, no stream is left, nothing is read or answered any more.
    ///
    /// The frame is written here, since after some errors the library may only be thrown away.
    public func fail(_ code: ErrorCode) {
        guard !isFailed else { return }
        isFailed = true
        outbox.appendGoAway(lastStream: streams.newest, code: code.rawValue)
        streams.closeAll()
    }
}

// MARK: - With the library

extension HTTP2Session {
    /// A server's session with our callbacks and options.
    private static func makeSession() -> OpaquePointer {
        var session: OpaquePointer?
        var callbacks: OpaquePointer?
        var option: OpaquePointer?
        // Out of memory is the one failure here.
        let result = unsafe nghttp2_session_callbacks_new(&callbacks) | nghttp2_option_new(&option)
        guard result == 0, let callbacks = unsafe callbacks, let option = unsafe option else {
            preconditionFailure("memory for a session")
        }
        unsafe setCallbacks(callbacks)
        unsafe nghttp2_option_set_no_auto_window_update(option, 1)
        unsafe nghttp2_option_set_no_closed_streams(option, 1)
        unsafe nghttp2_option_set_max_outbound_ack(option, HTTP2Limits.acknowledgementsMax)
        unsafe nghttp2_option_set_max_settings(option, HTTP2Limits.settingsEntriesMax)
        unsafe CNghttp2_leave_rates_to_caller(option)
        let made = unsafe nghttp2_session_server_new2(&session, callbacks, nil, option)
        unsafe nghttp2_option_del(option)
        unsafe nghttp2_session_callbacks_del(callbacks)
        guard made == 0, let session = unsafe session else { preconditionFailure("memory for a session") }
        return unsafe session
    }

    /// Queues our SETTINGS (RFC 9113 §6.5.2), and the connection's window.
    private func submitSettings() {
        func entry(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
            nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(clamping: value))
        }
        let entries = [
            entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, http2Limits.concurrentStreamsMax),
            entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, HTTP2Limits.streamWindowBytes(limits)),
            entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.headBytesMax),
            // RFC 9218 §2.1: the priority tree of RFC 7540 is not kept, and nothing for it either.
            entry(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
        ]
        var result = unsafe nghttp2_submit_settings(nghttp2, 0, entries, entries.count)
        if result == 0 {
            result = unsafe nghttp2_session_set_local_window_size(
                nghttp2, 0, 0, Int32(http2Limits.connectionWindowBytes(limits)))
        }
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
        case Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue): fail(failure ?? .internalError)
        case Int(NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue): fail(.protocolError)
        case Int(NGHTTP2_ERR_NOMEM.rawValue): fail(.internalError)
        default: fail(.enhanceYourCalm)
        }
    }

    /// What follows from the input, once the library has returned.
    private func settle() {
        if isPingAnswered { endShutdown() }
        while !isFailed, streams.heldBytes >= http2Limits.heldBytesMax(limits), let place = streams.newestIncomplete() {
            reset(place, .refusedStream)
        }
        giveBackWindow()
        // The control frames are taken out at once: a connection error shows in its GOAWAY only.
        while !isFailed, unsafe nghttp2_session_get_outbound_queue_size(nghttp2) > 0, appendFrame(to: &outbox) {}
        concludeFailure()
        if nuisances.isOverdrawn || outbox.count > http2Limits.unsentBytesMax + HTTP2Limits.outboxBytesMax {
            fail(.enhanceYourCalm)
        }
    }

    /// Appends the next frame. False without one.
    private func appendFrame(to output: inout [UInt8]) -> Bool {
        var frame: UnsafePointer<UInt8>?
        let count = unsafe CNghttp2_send(nghttp2, &frame)
        guard count > 0 else {
            if count < 0 { fail(.internalError) }
            return false
        }
        unsafe output.append(contentsOf: UnsafeBufferPointer(start: frame, count: count))
        return true
    }

    /// The library has written a GOAWAY of its own.
    private func concludeFailure() {
        guard failure != nil, !isFailed else { return }
        isFailed = true
        streams.closeAll()
    }

    private func giveBackWindow() {
        guard streams.owedWindowBytes > 0, !isFailed else { return }
        let result = unsafe nghttp2_session_consume_connection(nghttp2, streams.owedWindowBytes)
        streams.owedWindowBytes = 0
        if result != 0 { fail(.internalError) }
    }

    /// Resets a stream, and forgets it at once: the library does so when the frame has gone.
    private func reset(_ place: Int, _ code: ErrorCode) {
        let id = streams[place].id
        unsafe nghttp2_session_set_stream_user_data(nghttp2, id, nil)
        streams.close(place)
        if unsafe nghttp2_submit_rst_stream(nghttp2, 0, id, code.rawValue) != 0 { fail(.internalError) }
    }

    /// Where the stream is in the table; nil where it is gone. The library keeps it, plus one, as the
    /// stream's user data, and forgets it when the stream is closed.
    private func place(of stream: StreamID) -> Int? {
        guard !isFailed else { return nil }
        let data = unsafe nghttp2_session_get_stream_user_data(nghttp2, stream)
        return unsafe data.map { Int(bitPattern: $0) - 1 }
    }

    /// Lays the answer's fields out, and calls `body` with them.
    private func withFields(
        of response: borrowing Response, date: HTTPDate, _ body: (UnsafeBufferPointer<nghttp2_nv>) -> CInt
    ) -> CInt {
        values.removeAll(keepingCapacity: true)
        return unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: response.fields.count + 4) { fields in
            var count = 0
            // The value is what was appended to `values` since the field before; it is pointed to below.
            var start = 0
            func add(_ name: StaticString) {
                unsafe (fields.baseAddress! + count).initialize(to: nghttp2_nv(
                    name: UnsafeMutablePointer(mutating: name.utf8Start), value: nil,
                    namelen: name.utf8CodeUnitCount, valuelen: values.count - start, flags: 0))
                count += 1
                start = values.count
            }
            values.appendDecimal(Int(response.status))
            add(":status")
            date.append(to: &values)
            add("date")
            if response.hasContent {
                if !response.body.isEmpty, response.contentType.utf8CodeUnitCount > 0 {
                    values.append(response.contentType)
                    add("content-type")
                }
                values.appendDecimal(response.body.count)
                add("content-length")
            }
            for field in response.fields {
                values.appendFieldValue(field.value)
                add(field.name)
            }
            return unsafe values.withUnsafeMutableBufferPointer { bytes in
                var value = bytes.baseAddress
                for index in 0..<count {
                    unsafe fields[index].value = value
                    unsafe value = value.map { unsafe $0 + fields[index].valuelen }
                }
                return unsafe body(UnsafeBufferPointer(rebasing: fields[0..<count]))
            }
        }
    }
}

// MARK: - Callbacks

extension HTTP2Session {
    private static func of(_ data: UnsafeMutableRawPointer?) -> HTTP2Session {
        guard let data = unsafe data else { preconditionFailure("the session was given as user data") }
        return unsafe Unmanaged<HTTP2Session>.fromOpaque(data).takeUnretainedValue()
    }

    private static func setCallbacks(_ callbacks: OpaquePointer) {
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
            guard unsafe !session.streams.addField(name: name.span, value: value.span, at: place) else { return 0 }
            session.failure = .enhanceYourCalm
            return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
        }
        // A name or value that RFC 9113 §8.2.1 forbids makes the request malformed, in every version.
        unsafe nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks) { _, _, _, _, _, _, _, _ in
            NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, bytes, count, data in
            let session = unsafe HTTP2Session.of(data)
            let chunk = unsafe UnsafeBufferPointer(start: bytes, count: count)
            unsafe session.streams.addBody(chunk.span, at: session.place(of: id))
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, data in
            if let frame = unsafe frame { unsafe HTTP2Session.of(data).noteReceived(frame) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) { _, _, code, data in
            // More streams than there may be, before our SETTINGS were acknowledged.
            if code == NGHTTP2_ERR_REFUSED_STREAM.rawValue { unsafe HTTP2Session.of(data).nuisances.charge() }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, data in
            if let frame = unsafe frame { unsafe HTTP2Session.of(data).noteSent(frame) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { nghttp2, frame, _, _ in
            // An answer whose fields are more than can be sent: the stream must not hang.
            guard let frame = unsafe frame, unsafe frame.pointee.hd.type == UInt8(NGHTTP2_HEADERS.rawValue) else {
                return 0
            }
            let id = unsafe frame.pointee.hd.stream_id
            return unsafe nghttp2_submit_rst_stream(nghttp2, 0, id, ErrorCode.internalError.rawValue)
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, _, data in
            let session = unsafe HTTP2Session.of(data)
            if let place = session.place(of: id) { session.streams.close(place) }
            return 0
        }
    }

    private func beginBlock(of id: StreamID, isRequest: Bool) {
        streams.beginBlock()
        guard isRequest else { return }
        if !isFinal, unsentBytes < http2Limits.unsentBytesMax, streams.count < http2Limits.concurrentStreamsMax {
            let place = streams.open(id)
            unsafe nghttp2_session_set_stream_user_data(nghttp2, id, UnsafeMutableRawPointer(bitPattern: place + 1))
            return
        }
        if !isFinal { nuisances.charge() }
        unsafe nghttp2_submit_rst_stream(nghttp2, 0, id, ErrorCode.refusedStream.rawValue)
    }

    private func noteReceived(_ frame: UnsafePointer<nghttp2_frame>) {
        let header = unsafe frame.pointee.hd
        let isEnd = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue:
            guard let place = place(of: header.stream_id) else { return }
            if unsafe frame.pointee.headers.cat != NGHTTP2_HCAT_REQUEST {
                if isEnd { streams.end(place) }
            } else if streams.concludeHead(at: place, isEnded: isEnd) {
                submitContinue(to: header.stream_id, at: place)
            }
        case NGHTTP2_DATA.rawValue:
            if isEnd, let place = place(of: header.stream_id) { streams.end(place) }
        case NGHTTP2_SETTINGS.rawValue: isReady = true
        case NGHTTP2_GOAWAY.rawValue: isLeft = true
        case NGHTTP2_PING.rawValue:
            if header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0, isShuttingDown { isPingAnswered = true }
        default: break
        }
    }

    /// RFC 9110 §10.1.1: the client waits before it sends the body.
    private func submitContinue(to id: StreamID, at place: Int) {
        let (name, value): (StaticString, StaticString) = (":status", "100")
        var field = unsafe nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name.utf8Start), value: UnsafeMutablePointer(mutating: value.utf8Start),
            namelen: name.utf8CodeUnitCount, valuelen: value.utf8CodeUnitCount, flags: 0)
        let result = unsafe nghttp2_submit_headers(nghttp2, 0, id, nil, &field, 1, nil)
        streams[place].isContinueQueued = result == 0
    }

    private func noteSent(_ frame: UnsafePointer<nghttp2_frame>) {
        let header = unsafe frame.pointee.hd
        let isEnd = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue:
            guard let place = place(of: header.stream_id) else { return }
            if streams[place].isContinueQueued {
                streams[place].isContinueQueued = false
                return
            }
            streams.noteHeadSent(at: place)
            if isEnd { noteAnswered(place) }
        case NGHTTP2_DATA.rawValue:
            if isEnd {
                if let place = place(of: header.stream_id) { noteAnswered(place) }
            } else if header.length >= HTTP2Limits.creditedDataBytesMin {
                nuisances.earn(2)
            }
        case NGHTTP2_RST_STREAM.rawValue:
            // Ours are these two; the library's are the peer's mistakes (CVE-2025-8671).
            let code = unsafe frame.pointee.rst_stream.error_code
            if code != ErrorCode.noError.rawValue, code != ErrorCode.refusedStream.rawValue { nuisances.charge() }
        case NGHTTP2_GOAWAY.rawValue:
            let code = unsafe frame.pointee.goaway.error_code
            if code != ErrorCode.noError.rawValue { failure = .protocolError }
        default: break
        }
    }

    /// All of an answer has gone.
    private func noteAnswered(_ place: Int) {
        nuisances.earn(2)
        // RFC 9113 §8.1: the rest of the request is not wanted.
        if !streams[place].isRemoteClosed { reset(place, .noError) }
    }

    /// Gives the library the next piece of an answer's body.
    private static let readAnswer:
        @convention(c) (
            OpaquePointer?, Int32, UnsafeMutablePointer<UInt8>?, Int, UnsafeMutablePointer<UInt32>?,
            UnsafeMutablePointer<nghttp2_data_source>?, UnsafeMutableRawPointer?
        ) -> Int = { _, id, buffer, capacity, flags, _, data in
            let session = unsafe HTTP2Session.of(data)
            guard let buffer = unsafe buffer, let flags = unsafe flags, let place = session.place(of: id) else {
                return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
            }
            let sent = session.streams[place].answerBytesSent
            let count = min(capacity, session.streams[place].answer.count - sent)
            unsafe session.streams[place].answer.withUnsafeBufferPointer { answer in
                // Bounds: `count` is at most what is left of the answer, and at most the buffer's capacity.
                if let start = answer.baseAddress { unsafe buffer.update(from: start + sent, count: count) }
            }
            session.streams.noteSent(count, at: place)
            if session.streams[place].answerBytesSent == session.streams[place].answer.count {
                unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            }
            return count
        }
}
