// GET /v1/events (API.md §4): the log as it grows, as server-sent events (WHATWG HTML §9.2).
//
// Promises: a listener costs a position while it waits; what it is sent is made once it has taken what came before.
// Must not know: connections, when there is something new.

import CallbackLog
import HTTPWire

extension Router {
    func follow(_ request: borrowing Request, into response: inout Response) -> Disposition {
        guard let parameters = parameters(request, known: [.after], into: &response) else { return .respond }
        let position: EventPosition
        do throws(ParameterFault) {
            position = try EventPosition(
                lastEventID: request.value(of: "last-event-id").map { Array(request.bytes($0)) }, after: parameters.after,
                in: EventPosition.Extent(logID: log.logID, first: log.firstSequence, durable: log.durable))
        } catch {
            Problem.fill(&response, status: 400, detail: error.detail, for: request)
            return .respond
        }
        begin(&response)
        response.contentType = "text/event-stream"
        var source = EventSource(reading: EventReading(log, logID: log.logID, from: position))
        if position.gapBehind == nil { EventText.appendPosition(logID: log.logID, sequence: position.next - 1, to: &source.beginning) }
        return .stream(PreparedStream(kind: .events, source: source, path: Array(request.bytes(request.path))))
    }
}

private struct EventSource: StreamSource {
    var reading: EventReading
    /// Where the stream begins: who loses it before the first event then knows where to go on.
    var beginning: [UInt8] = []

    mutating func next(bytesMax: Int, using scratch: inout QueryScratch) -> StreamPiece {
        var output = beginning
        beginning = []
        do throws(RecordReadFailure) {
            try reading.append(bytesMax: bytesMax, to: &output, using: &scratch.reader, &scratch.events)
        } catch {
            // What was made before it is sent, and the rest asked for again.
            if output.isEmpty { return error == .indexing ? .waiting : .broken }
        }
        return output.isEmpty ? .waiting : .bytes(output)
    }
}
