// GET /v1/requests (API.md §4): requests by their newest record, newest first, in pages.
//
// Promises: all pages show the requests as of the moment the first one was made, so that what arrives meanwhile neither
// shifts nor repeats any. A page is bounded in elements, bytes and work; it may be shorter than asked for and still lead on.
// Must not know: connections, how candidates are found.

import CallbackLog
import HTTPWire

extension Router {
    static let filterParameters: [Parameter] = [
        .status, .failureClass, .reference, .sessionID, .whatsappMessageID, .crispFingerprint, .since, .until,
    ]

    func list(_ request: borrowing Request, into response: inout Response) -> Disposition {
        guard let parameters = parameters(request, known: Self.filterParameters + [.limit, .cursor], into: &response) else { return .respond }
        var cursor: ListCursor?
        if let text = parameters.cursor {
            cursor = ListCursor(text, filters: parameters.filter, log: log)
            guard cursor != nil else {
                let detail = "\(Parameter.cursor.name) \(Parameter.cursor.possible) It goes on with the filters that it was given for."
                Problem.fill(&response, status: 400, detail: detail, for: request)
                return .respond
            }
        }
        let page = ListPage(
            log: log, filters: parameters.filter, limit: parameters.limit, position: cursor?.position ?? log.durable, behind: cursor?.last,
            path: Array(request.bytes(request.path)), query: PageLink.query(of: request))
        return .query(
            Query(path: page.path) { [self] scratch in
                var response = Response()
                do throws(RequestStateFailure) {
                    begin(&response)
                    try page.append(to: &response, using: &scratch.reader)
                } catch {
                    fail(error, &response, page.path[...])
                }
                return response
            })
    }
}

/// One page, made off the loop.
private struct ListPage: Sendable {
    let log: CallbackLog
    let filters: RequestFilters
    let limit: Int
    /// Requests are shown as of it.
    let position: UInt64
    /// Where the page before ended.
    let behind: UInt64?
    let path: [UInt8]
    /// The query's other parameters, for the link to the next page.
    let query: String

    func append(to response: inout Response, using reader: inout RecordReader) throws(RequestStateFailure) {
        var walk = RequestWalk(log, filters, asOf: position, isNewestFirst: true, behind: behind)
        var work = RequestWalk.workMax
        var count = 0
        var end: UInt64?
        response.body.append("{\"requests\":[")
        while end == nil {
            let before = walk.last
            guard let found = try walk.next(work: &work, using: &reader) else { break }
            // There is one more than the page holds: it is the next page's first.
            guard count < limit, response.body.count < Router.pageBytesMax else {
                end = before
                break
            }
            if count > 0 { response.body.append(",") }
            StatusAnswer.append(
                requestID: walk.requestID.span, found.state, status: found.status, payload: reader.bytes.span.extracting(found.payload),
                to: &response.body)
            count += 1
        }
        response.body.append("],\"next\":")
        if end == nil, !walk.isFinished { end = walk.last ?? position + 1 }
        guard let end else { return response.body.append("null}") }
        let cursor = ListCursor(position: position, last: end).text(filters: filters, log: log)
        response.body.append("\"")
        response.body.append(contentsOf: cursor)
        response.body.append("\"}")
        response.fields.append(PageLink.field(path: path, query: query, cursor: cursor))
    }
}
