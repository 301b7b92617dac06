// Answers over HTTP/1.1 whose content comes piece by piece, its length not known when they begin.
//
// Promises: a recipient can tell a whole answer from one that broke off: by the last chunk (RFC 9112 §7.1), and by
// nothing for HTTP/1.0, which has no chunks. Must not know: where the pieces come from.

extension HTTP1Session {
    /// Begins the answer to the present request with its head: `Transfer-Encoding: chunked`, or for HTTP/1.0 content until
    /// the connection closes.
    ///
    /// HEAD is answered with that alone (RFC 9110 §9.3.2), as by `respond`. After this `awaiting` is `answer` until
    /// `endContent` or `breakOff`, and `mustClose` says what is to come then.
    /// - Parameter response: its body is empty.
    /// - Returns: whether content follows.
    /// - Precondition: `awaiting` is `answer`, and nothing was refused.
    public mutating func beginContent(
        _ response: borrowing Response, date: HTTPDate, close: Bool, into output: inout [UInt8]
    ) -> Bool {
        guard case .answer = state else { preconditionFailure("there is no whole request to answer") }
        precondition(response.body.isEmpty && response.hasContent, "the content follows")
        // RFC 9112 §6.1: no transfer coding to who may not know it. Then the end of the connection is the content's.
        mustClose = close || !isPersistent || isHTTP10
        response.encode(
            date: date, connection: mustClose ? .close : .unsaid, framing: isHTTP10 ? .untilClose : .chunked, omitsBody: isHead,
            into: &output)
        state = .content
        if isHead { endAnswer() }
        return !isHead
    }

    /// Appends a piece of the content, a chunk of its own (RFC 9112 §7.1). An empty one is none: it would be the last.
    /// - Precondition: content follows.
    public func append(content: Span<UInt8>, to output: inout [UInt8]) {
        guard case .content = state else { preconditionFailure("no content follows") }
        guard content.count > 0 else { return }
        if isHTTP10 { return output.append(content) }
        output.appendHexadecimal(content.count)
        output.append("\r\n")
        output.append(content)
        output.append("\r\n")
    }

    /// The content is whole.
    /// - Parameter close: whether to close the connection even if the client would keep it. It has not been told.
    /// - Precondition: content follows.
    public mutating func endContent(close: Bool, into output: inout [UInt8]) {
        guard case .content = state else { preconditionFailure("no content follows") }
        if !isHTTP10 { output.append("0\r\n\r\n") }
        mustClose = mustClose || close
        endAnswer()
    }

    /// The content cannot be had whole: close the connection without another byte (RFC 9112 §8).
    /// - Precondition: content follows.
    public mutating func breakOff() {
        guard case .content = state else { preconditionFailure("no content follows") }
        mustClose = true
        endAnswer()
    }
}
