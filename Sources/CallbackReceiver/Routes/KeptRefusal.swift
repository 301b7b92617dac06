// A refusal whose body is kept before it is told: nothing that was posted is lost by a misunderstanding (API.md §3).
//
// Must not know: where it is kept, or for how long.

import Platform

/// A refused body.
struct KeptRefusal: Sendable {
    /// Of a body that is longer, the beginning.
    static let bodyBytesMax = 64 * 1_024

    let body: [UInt8]
    /// Of the refusal.
    let status: UInt16
    /// What the refusal said.
    let detail: String
    /// False where proof of origin is asked for and did not come: anybody may have sent it.
    let isProved: Bool
    /// More of the body was sent, or was to be: what is kept is no callback, whatever it looks like.
    var isCut = false

    /// Of a body that came whole.
    static func of(_ body: ArraySlice<UInt8>, status: UInt16, detail: String, isProved: Bool) -> KeptRefusal {
        KeptRefusal(body: Array(body.prefix(bodyBytesMax)), status: status, detail: detail, isProved: isProved, isCut: body.count > bodyBytesMax)
    }
}

/// Keeps refused bodies.
protocol RefusalKeeper: Sendable {
    /// Keeps `refusal`, which came from `client`. `completion` is called once, on whichever queue: true once it is on stable
    /// storage, false where it is not kept.
    func keep(_ refusal: KeptRefusal, from client: IPAddress, completion: @escaping @Sendable (Bool) -> Void)
}
