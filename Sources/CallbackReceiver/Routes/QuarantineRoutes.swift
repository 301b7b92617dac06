// GET /v1/quarantine and POST /v1/quarantine/requeue (API.md §4; the latter is what `log requeue` asks a running server).
//
// Promises: newest first; a page is bounded in entries and bytes, and its cursor is the last entry's id, so that what
// comes and goes neither shifts nor repeats it. Bodies are for those who may write.
// Must not know: where entries are kept.

import CallbackLog
import CrispCallback
import HTTPWire

extension Router {
    private static let unreadableQuarantine = "The quarantine cannot be read now; the server's log says why. Ask again later."

    /// A page of what was refused.
    func quarantinePage(_ request: borrowing Request, showsBodies: Bool, into response: inout Response) -> Disposition {
        guard let parameters = parameters(request, known: [.limit, .cursor], into: &response) else { return .respond }
        var before: String?
        if let cursor = parameters.cursor {
            let name = String(decoding: cursor, as: UTF8.self)
            guard QuarantineEntry.ring(of: name) != nil else {
                Problem.fill(&response, status: 400, detail: "\(Parameter.cursor.name) \(Parameter.cursor.possible)", for: request)
                return .respond
            }
            before = name
        }
        let (limit, path, query, quarantine) = (parameters.limit, Array(request.bytes(request.path)), PageLink.query(of: request), quarantine)
        return .query(
            Query(path: path, lane: .quarantine) { [before] _ in
                var response = Response()
                guard let page = quarantine.page(below: before, countMax: limit, bytesMax: Self.pageBytesMax) else {
                    Router.unavailable(Self.unreadableQuarantine, Problem.blockedRetrySeconds, path[...], &response)
                    return response
                }
                Self.begin(&response)
                response.body.append("{\"entries\":[")
                for (index, shown) in page.entries.enumerated() {
                    if index > 0 { response.body.append(",") }
                    Self.append(shown, showsBody: showsBodies, to: &response.body)
                }
                response.body.append("],\"next\":")
                guard page.hasMore, let last = page.entries.last?.entry.name else {
                    response.body.append("null}")
                    return response
                }
                response.body.append(jsonString: last)
                response.body.append("}")
                response.fields.append(PageLink.field(path: path, query: query, cursor: Array(last.utf8)))
                return response
            })
    }

    private static func append(_ shown: Quarantine.Shown, showsBody: Bool, to body: inout [UInt8]) {
        body.append("{\"id\":")
        body.append(jsonString: shown.entry.name)
        body.append(",\"at\":")
        body.append(jsonString: shown.entry.at)
        body.append(",\"peer\":")
        body.append(jsonString: "\(shown.entry.peer)")
        body.append(",\"status\":")
        body.append(decimal: UInt64(shown.entry.status))
        body.append(",\"detail\":")
        body.append(jsonString: shown.detail)
        body.append(",\"body\":")
        if !showsBody {
            body.append("null,\"body_encoding\":null")
        } else if String(validating: shown.body, as: UTF8.self) != nil {
            body.append(jsonString: shown.body.span)
            body.append(",\"body_encoding\":\"utf-8\"")
        } else {
            body.append(0x22)
            Base64.append(shown.body.span, to: &body)
            body.append("\",\"body_encoding\":\"base64\"")
        }
        body.append(",\"count\":")
        body.append(decimal: UInt64(shown.entry.count))
        body.append("}")
    }

    /// Takes in again what was refused: `?unauthorized=true` also what nobody proved the origin of.
    func answerRequeue(_ request: borrowing Request, into response: inout Response) -> Disposition {
        guard let parameters = parameters(request, known: [.unauthorized], into: &response) else { return .respond }
        let (includesUnauthorized, path, requeue) = (parameters.includesUnauthorized, Array(request.bytes(request.path)), requeue)
        return .query(
            Query(path: path, lane: .requeue) { _ in
                var response = Response()
                guard let summary = requeue.run(includesUnauthorized: includesUnauthorized) else {
                    Router.unavailable(Self.unreadableQuarantine, Problem.blockedRetrySeconds, path[...], &response)
                    return response
                }
                Self.begin(&response)
                for (name, number) in [
                    ("{\"taken\":", summary.taken), (",\"duplicates\":", summary.duplicates), (",\"left\":", summary.left),
                    (",\"failed\":", summary.failed),
                ] as [(StaticString, Int)] {
                    response.body.append(name)
                    response.body.append(decimal: UInt64(number))
                }
                response.body.append("}")
                return response
            })
    }
}

/// RFC 4648 §4, with padding.
enum Base64 {
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    static func append(_ bytes: Span<UInt8>, to output: inout [UInt8]) {
        var index = 0
        while index < bytes.count {
            let count = min(3, bytes.count - index)
            var group: UInt32 = 0
            for offset in 0..<3 { group = group << 8 | (offset < count ? UInt32(bytes[index + offset]) : 0) }
            for digit in 0..<4 {
                // Six bits: below the alphabet's count, whose storage lives for ever.
                let place = Int(group >> UInt32(18 - 6 * digit) & 63)
                output.append(digit <= count ? unsafe alphabet.utf8Start[place] : UInt8(ascii: "="))
            }
            index += 3
        }
    }
}
