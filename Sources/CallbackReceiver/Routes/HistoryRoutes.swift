// GET /v1/requests/{request_id}/callbacks (API.md §4): a request's records, oldest first, each with the members of its kind.
//
// Promises: a page is bounded in elements and in bytes; its cursor is the sequence after which the next one begins, so
// that nothing shifts. Records of kinds that this version does not know are kept, not served.
// Must not know: connections, how records are stored.

import CallbackLog
import CrispCallback
import HTTPWire

extension Router {
    /// A page ends early behind this many bytes of records (one record may pass it alone).
    static let pageBytesMax = 1_024 * 1_024

    func answerCallbacks(_ request: borrowing Request, requestID: [UInt8], into response: inout Response, using reader: inout RecordReader) {
        guard let parameters = parameters(request, known: [.limit, .cursor], into: &response) else { return }
        var after: UInt64 = 0
        if let cursor = parameters.cursor {
            guard let number = Parameters.wholeNumber(cursor) else {
                let detail = "\(Parameter.cursor.name) \(Parameter.cursor.possible)"
                return Problem.fill(&response, status: 400, detail: detail, for: request)
            }
            after = number
        }
        do throws(RequestStateFailure) {
            let next = try appendPage(of: requestID, after: after, limit: parameters.limit, to: &response, using: &reader)
            guard let next else { return Problem.fill(&response, status: 404, detail: Self.notFound, for: request) }
            response.body.append("],\"next\":")
            guard next > 0 else { return response.body.append("null}") }
            response.body.append("\"")
            response.body.append(decimal: next)
            response.body.append("\"}")
            let path = Array(request.bytes(request.path))
            response.fields.append(PageLink.field(path: path, query: PageLink.query(of: request), cursor: Array("\(next)".utf8)))
        } catch {
            fail(error, &response, request.bytes(request.path))
        }
    }

    /// Begins the response with the elements of a page. Where the next one begins; 0 behind the last page, nil where
    /// nothing is known of the request.
    private func appendPage(
        of requestID: [UInt8], after: UInt64, limit: Int, to response: inout Response, using reader: inout RecordReader
    ) throws(RequestStateFailure) -> UInt64? {
        do throws(RecordReadFailure) {
            let records = try log.records(of: requestID.span, using: &reader)
            guard records.contains(where: { Self.name(of: $0.kind) != nil }) else { return nil }
            begin(&response)
            response.body.append("{\"callbacks\":[")
            var (count, bytes, last) = (0, 0, UInt64(0))
            for location in records.reversed() where location.sequence > after {
                guard let kind = Self.name(of: location.kind) else { continue }
                guard count < limit, count == 0 || bytes + location.byteCount <= Self.pageBytesMax else { return last }
                let record = try log.read(location, using: &reader)
                let members = reader.bytes.span.extracting(record.payload)
                if count > 0 { response.body.append(",") }
                // A payload that the present decoder refuses is shown as another would be that says nothing.
                let status = location.kind == .callback ? (try? CallbackReading(payload: members)).map { RequestStatus($0.status) } ?? .unrecognized : nil
                StatusAnswer.appendElement(record, kind: kind, requestID: requestID.span, status: status, members: members, to: &response.body)
                (count, bytes, last) = (count + 1, bytes + location.byteCount, location.sequence)
            }
            return 0
        } catch {
            throw .record(error)
        }
    }

    /// Nil where records of this kind are not served.
    private static func name(of kind: RecordKind) -> StaticString? {
        switch kind {
        case .callback: "callback"
        case .announcement: "announcement"
        case .overdue: "overdue"
        case .checkpoint, .unknown: nil
        }
    }
}
