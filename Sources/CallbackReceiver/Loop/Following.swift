// What the loops share of waits and streams: how many there may be, and the queues that they are asked on.
//
// Promises: each bound has a name (invariant 7). Must not know: who waits, what is streamed.

struct Following: Sendable {
    /// Requests that wait for a callback (`?wait=`). Ten thousand clients and some room.
    static let waitsMax = 16_384
    /// Event streams open at a time.
    static let eventStreamsMax = 1_024
    /// Exports under way at a time: each looks through the whole log.
    static let exportsMax = 8

    let waits = Capacity(waitsMax)
    private let eventStreams = Capacity(eventStreamsMax)
    private let exports = Capacity(exportsMax)
    private let followingQueue = QueryQueue(label: "queries.following")
    private let exportingQueue = QueryQueue(label: "queries.exporting")

    func capacity(for kind: StreamKind) -> Capacity {
        switch kind {
        case .events: eventStreams
        case .export: exports
        }
    }

    func queue(of lane: AskingLane) -> QueryQueue {
        switch lane {
        case .following: followingQueue
        case .exporting: exportingQueue
        }
    }
}
