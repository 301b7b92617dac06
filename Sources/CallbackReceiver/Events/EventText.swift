// Events as text/event-stream (WHATWG HTML §9.2): a field a line, an empty line behind each event.
//
// Promises: `data` is one line, since JSON answers hold no line breaks. Must not know: who listens.

enum EventText {
    /// The event of one record: the request as of it.
    static func append(logID: String, sequence: UInt64, status: RequestStatus, to output: inout [UInt8], data: (inout [UInt8]) -> Void) {
        output.append("id: ")
        EventID.append(logID, sequence, to: &output)
        output.append("\nevent: ")
        output.append(contentsOf: status.name.utf8)
        output.append("\ndata: ")
        data(&output)
        output.append("\n\n")
    }

    /// An id alone: no event, but a position all the same (§9.2.6: it is taken over though there is no data to dispatch).
    static func appendPosition(logID: String, sequence: UInt64, to output: inout [UInt8]) {
        output.append("id: ")
        EventID.append(logID, sequence, to: &output)
        output.append("\n\n")
    }

    /// Records behind `after` are not there; the next is `next`. Its id is the one before: who resumes behind it misses nothing.
    static func appendGap(logID: String, after: [UInt8], next: UInt64, to output: inout [UInt8]) {
        output.append("id: ")
        EventID.append(logID, next - 1, to: &output)
        output.append("\nevent: gap\ndata: {\"after\":")
        output.append(jsonString: after.span)
        output.append(",\"next\":")
        output.append(decimal: next)
        output.append("}\n\n")
    }
}
