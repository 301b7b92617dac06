// GET /v1/export (API.md §4): every request that the filters let through, oldest first, one a line.
//
// Promises: all as of the moment it began, however long it takes; a piece is made once the peer has taken the one before,
// so that it takes the memory of one piece. An export that cannot be finished does not end as if it were whole.
// Must not know: connections, how a line looks (StatusAnswer, StatusRow).

import CallbackLog
import HTTPWire

extension Router {
    func export(_ request: borrowing Request, into response: inout Response) -> Disposition {
        guard let parameters = parameters(request, known: [.format] + Self.filterParameters, into: &response) else { return .respond }
        begin(&response)
        let name: String
        switch parameters.format {
        case .jsonl: (response.contentType, name) = ("application/jsonl", "requests.jsonl")
        // RFC 4180 §3.
        case .csv: (response.contentType, name) = ("text/csv; charset=utf-8; header=present", "requests.csv")
        }
        response.fields.append(Response.Field(name: "Content-Disposition", value: "attachment; filename=\"\(name)\""))
        let walk = RequestWalk(log, parameters.filter, asOf: log.durable, isNewestFirst: false)
        return .stream(
            PreparedStream(kind: .export, source: ExportSource(walk, parameters.format), path: Array(request.bytes(request.path))))
    }
}

private struct ExportSource: StreamSource {
    private let format: ExportFormat
    private var walk: RequestWalk
    private var hasBegun = false

    init(_ walk: RequestWalk, _ format: ExportFormat) {
        self.walk = walk
        self.format = format
    }

    mutating func next(bytesMax: Int, using scratch: inout QueryScratch) -> StreamPiece {
        var output: [UInt8] = []
        if !hasBegun, format == .csv { StatusRow.appendHeader(to: &output) }
        hasBegun = true
        var work = RequestWalk.workMax
        do throws(RequestStateFailure) {
            while output.count < bytesMax, let found = try walk.next(work: &work, using: &scratch.reader) {
                let payload = scratch.reader.bytes.span.extracting(found.payload)
                switch format {
                case .jsonl:
                    StatusAnswer.append(requestID: walk.requestID.span, found.state, status: found.status, payload: payload, to: &output)
                    output.append(0x0A)
                case .csv: StatusRow.append(requestID: walk.requestID.span, found.state, status: found.status, payload: payload, to: &output)
                }
            }
        } catch {
            guard output.isEmpty else { return .bytes(output) }
            if case .record(.indexing) = error { return .waiting }
            return .broken
        }
        if !output.isEmpty { return .bytes(output) }
        return walk.isFinished ? .end : .waiting
    }
}
