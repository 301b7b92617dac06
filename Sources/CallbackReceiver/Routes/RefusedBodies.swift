// Which bodies are kept of requests to the callback path that HTTP itself refused (API.md §3, quarantine).
//
// Promises: of what was too large as much as was received, up to `KeptRefusal.bodyBytesMax`, and that is waited for; of a request
// whose head is refused what came of its body together with it; nothing where no body came.
// What comes without its proof of origin is kept as that, whatever it was refused for: it takes no room from the others.
// Must not know: how it was refused, where it is kept.

import HTTPWire
import Platform

extension Router {
    /// What is kept of a request that was refused before its route saw it; nil where nothing is.
    /// - Parameter rest: what came behind what was read of it.
    func keptRefusal(
        _ refusal: Refusal, of request: borrowing Request, rest: Span<UInt8>, role: ListenerRole, using scratch: inout RouteScratch
    ) -> KeptRefusal? {
        guard refusal.status == 400 || refusal.status == 413 else { return nil }
        var body = Array(request.body.prefix(KeptRefusal.bodyBytesMax))
        let isProved: Bool
        var (start, end) = (rest.count, rest.count)
        if request.isHeadComplete {
            guard isPostedCallback(request, role, &scratch) else { return nil }
            // Where the head was refused nothing of the body is read; of a chunk that is none a part is.
            let isBodyUnread = body.isEmpty && ![.malformedChunk, .chunkLineTooLong, .malformedTrailer, .endedEarly].contains(refusal)
            if refusal == .bodyTooLarge || isBodyUnread { start = 0 }
            // What is pipelined behind it is another request's.
            if isBodyUnread, refusal != .bodyTooLarge { end = min(end, Self.declaredBytes(of: request)) }
            isProved = origin.refusal(of: request, isWhole: false) == nil
        } else {
            guard role.contains(.callback), request.method == .post, isCallbackTarget(rest, from: request.methodToken.upperBound + 1) else { return nil }
            start = Self.endOfHead(rest) ?? rest.count
            // What cannot be read proves nothing.
            isProved = !origin.isAsked
        }
        for index in start..<min(end, start + KeptRefusal.bodyBytesMax - body.count) { body.append(rest[index]) }
        guard !body.isEmpty else { return nil }
        return KeptRefusal(
            body: body, status: refusal.status, detail: refusal.detail, isProved: isProved, isCut: request.isHeadComplete && Self.isMoreDeclared(than: body.count, request))
    }

    /// Whether its head says that the body has more bytes.
    private static func isMoreDeclared(than count: Int, _ request: borrowing Request) -> Bool {
        guard let length = request.value(of: "content-length") else { return count == KeptRefusal.bodyBytesMax }
        return Int(request.text(length)).map { $0 > count } ?? false
    }

    /// How long its head says that the body is: with a transfer coding however long, without either field it has none (RFC 9112 §6.3).
    private static func declaredBytes(of request: borrowing Request) -> Int {
        if let length = request.value(of: "content-length") { return max(0, Int(request.text(length)) ?? 0) }
        return request.value(of: "transfer-encoding") == nil ? 0 : .max
    }

    /// Whether the target that begins at `start`, in a head that cannot be read, has the configured path: as it is written there,
    /// up to its query, or to whatever may not be in a target.
    private func isCallbackTarget(_ head: Span<UInt8>, from start: Int) -> Bool {
        var end = start
        for byte in pathBytes {
            guard end < head.count, head[end] == byte else { return false }
            end += 1
        }
        if end < head.count, head[end] == UInt8(ascii: "/") { end += 1 }
        return end < head.count && [UInt8(ascii: " "), UInt8(ascii: "?"), UInt8(ascii: "#")].contains(head[end])
    }

    /// Behind the empty line that ends a head, with line feeds of whichever kind; nil where it has not come.
    private static func endOfHead(_ input: Span<UInt8>) -> Int? {
        var start = 0
        while let feed = ByteSearch.firstIndex(of: 0x0A, in: input, from: start) {
            let isEmpty = feed == start || feed == start + 1 && input[start] == 0x0D
            start = feed + 1
            if isEmpty { return start }
        }
        return nil
    }

    /// How much is kept of a body that is too large, once it has come; 0 where nothing is, or nobody says how long it is, or
    /// its client asked before it sends any (RFC 9110 §10.1.1).
    func keptBytes(of request: borrowing Request, role: ListenerRole, using scratch: inout RouteScratch) -> Int {
        guard !request.expectsContinue, let length = request.value(of: "content-length"), isPostedCallback(request, role, &scratch) else { return 0 }
        return min(Int(request.text(length)) ?? 0, KeptRefusal.bodyBytesMax)
    }

    private func isPostedCallback(_ request: borrowing Request, _ role: ListenerRole, _ scratch: inout RouteScratch) -> Bool {
        role.contains(.callback) && request.isHeadComplete && request.method == .post && isCallback(request, using: &scratch)
    }
}
