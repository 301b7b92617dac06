// GET /v1/requests/{request_id} and …/callbacks (API.md §4).
//
// Promises: what is answered is durable; the newest callback decides the status. A page is bounded in elements
// and in bytes; its cursor is the sequence after which the next one begins, so that nothing shifts.
// Must not know: connections, how records are stored.

import CallbackLog
import CrispCallback
import HTTPWire

extension Router {
    /// Elements in a page of callbacks, and what `limit` may ask for.
    static let pageLimitDefault = 100
    static let pageLimitMax = 1_000
    /// A page ends early behind this many bytes of records (one record may pass it alone).
    static let pageBytesMax = 1_024 * 1_024

    static let notFound = "Nothing is known of this request_id: no callback for it has arrived here."
    static let indexing = "The log's index is being made again, and until then it is not known whether there is more of this request. Ask again in a moment."
    static let unreadable = "A record of this request cannot be read back. The server's log names the file; keep a copy of it."

    func answerStatus(_ request: borrowing Request, requestID: [UInt8], into response: inout Response, using reader: inout RecordReader) {
        guard readParameters(request, known: [], into: &response, { _, _ in nil }) else { return }
        do throws(RecordReadFailure) {
            let records = try log.records(of: requestID.span, using: &reader)
            guard let newest = records.first, let callback = records.first(where: { $0.kind == .callback }) else {
                return Problem.fill(&response, status: 404, detail: Self.notFound, for: request)
            }
            let updatedAt = newest.sequence == callback.sequence ? nil : try log.read(newest, using: &reader).receivedAt
            let record = try log.read(callback, using: &reader)
            let payload = reader.bytes.span.extracting(record.payload)
            guard let reading = try? CallbackReading(payload: payload) else { return failUnreadable(&response, request) }
            begin(&response)
            StatusAnswer.append(
                requestID: requestID.span, sequence: newest.sequence, updatedAt: updatedAt ?? record.receivedAt,
                callbackReceivedAt: record.receivedAt, callbackCount: records.count { $0.kind == .callback }, reading: reading,
                payload: payload, to: &response.body)
        } catch {
            fail(error, &response, request)
        }
    }

    func answerCallbacks(_ request: borrowing Request, requestID: [UInt8], into response: inout Response, using reader: inout RecordReader) {
        var limit = Self.pageLimitDefault
        var after: UInt64 = 0
        guard
            readParameters(request, known: ["limit", "cursor"], into: &response, { name, value in
                if name == "limit" {
                    guard let number = Self.number(value), 1...UInt64(Self.pageLimitMax) ~= number else {
                        return "limit is a number from 1 to \(Self.pageLimitMax)."
                    }
                    limit = Int(number)
                } else {
                    guard let number = Self.number(value) else { return "cursor is what next of the page before said, unchanged." }
                    after = number
                }
                return nil
            })
        else { return }
        do throws(RecordReadFailure) {
            let records = try log.records(of: requestID.span, using: &reader)
            guard !records.isEmpty else { return Problem.fill(&response, status: 404, detail: Self.notFound, for: request) }
            begin(&response)
            response.body.append(json: "{\"callbacks\":[")
            var count = 0
            var bytes = 0
            var last: UInt64 = 0
            var next: UInt64?
            for location in records.reversed() where location.kind == .callback && location.sequence > after {
                guard count < limit, count == 0 || bytes + location.byteCount <= Self.pageBytesMax else {
                    next = last
                    break
                }
                let record = try log.read(location, using: &reader)
                let payload = reader.bytes.span.extracting(record.payload)
                guard let reading = try? CallbackReading(payload: payload) else { return failUnreadable(&response, request) }
                if count > 0 { response.body.append(json: ",") }
                StatusAnswer.appendElement(record, requestID: requestID.span, status: reading.status, payload: payload, to: &response.body)
                count += 1
                bytes += location.byteCount
                last = location.sequence
            }
            response.body.append(json: "],\"next\":")
            guard let next else { return response.body.append(json: "null}") }
            response.body.append(json: "\"")
            response.body.append(json: next)
            response.body.append(json: "\"}")
            // RFC 8288: the path as it was asked for, so that its encoding stays.
            let link = "<\(request.text(request.path))?limit=\(limit)&cursor=\(next)>; rel=\"next\""
            response.fields.append(Response.Field(name: "Link", value: link))
        } catch {
            fail(error, &response, request)
        }
    }

    private func fail(_ failure: RecordReadFailure, _ response: inout Response, _ request: borrowing Request) {
        guard case .indexing = failure else { return failUnreadable(&response, request) }
        Problem.fill(&response, status: 503, detail: Self.indexing, for: request)
        response.fields.append(Response.Field(name: "Retry-After", value: Problem.indexingRetrySeconds))
    }

    private func failUnreadable(_ response: inout Response, _ request: borrowing Request) {
        Problem.fill(&response, status: 500, detail: Self.unreadable, for: request)
    }

    /// Reads the query's parameters: each of `known` at most once, no other. `take` returns what is wrong with a
    /// value. False where the response says so.
    private func readParameters(
        _ request: borrowing Request, known: [String], into response: inout Response, _ take: (String, [UInt8]) -> String?
    ) -> Bool {
        var parameters = QueryParameters(of: request.query)
        var seen: [String] = []
        while let parameter = parameters.next(in: request.head.span) {
            var name: [UInt8] = []
            var value: [UInt8] = []
            var wrong: String?
            if !PercentEncoding.decode(request.head.span, at: parameter.name, into: &name)
                || !PercentEncoding.decode(request.head.span, at: parameter.value, into: &value)
            {
                wrong = "The query has a % that is not followed by two hexadecimal digits."
            } else if let text = known.first(where: { $0.utf8.elementsEqual(name) }) {
                wrong = seen.contains(text) ? "\(text) is given twice." : take(text, value)
                seen.append(text)
            } else {
                let there = known.isEmpty ? "There are none here." : "There are: \(known.joined(separator: ", "))."
                wrong = "The query has a parameter that is not known here. \(there)"
            }
            if let wrong {
                Problem.fill(&response, status: 400, detail: wrong, for: request)
                return false
            }
        }
        return true
    }

    /// Decimal digits, at most 18.
    private static func number(_ bytes: [UInt8]) -> UInt64? {
        guard 1...18 ~= bytes.count, bytes.allSatisfy({ 48...57 ~= $0 }) else { return nil }
        return bytes.reduce(0) { $0 * 10 + UInt64($1 - 48) }
    }
}
