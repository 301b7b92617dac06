// Which bodies are kept of requests to the callback path that HTTP itself refused (API.md §3, quarantine).
//
// Promises: of what was too large as much as was received, up to `KeptRefusal.bodyBytesMax`, and that is waited for; nothing where no body came.
// What comes without its proof of origin is kept as that, whatever it was refused for: it takes no room from the others.
// Must not know: how it was refused, where it is kept.

import HTTPWire

extension Router {
    /// What is kept of a request that was refused before its route saw it; nil where nothing is.
    /// - Parameter rest: what came behind what was read of it.
    func keptRefusal(
        _ refusal: Refusal, of request: borrowing Request, rest: Span<UInt8>, role: ListenerRole, using scratch: inout RouteScratch
    ) -> KeptRefusal? {
        guard refusal.status == 400 || refusal.status == 413, isPostedCallback(request, role, &scratch) else { return nil }
        var body = Array(request.body.prefix(KeptRefusal.bodyBytesMax))
        if refusal == .bodyTooLarge {
            let room = min(KeptRefusal.bodyBytesMax - body.count, rest.count)
            for index in 0..<room { body.append(rest[index]) }
        }
        guard !body.isEmpty else { return nil }
        let isProved = origin.refusal(of: request, isWhole: false) == nil
        return KeptRefusal(body: body, status: refusal.status, detail: refusal.detail, isProved: isProved)
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
