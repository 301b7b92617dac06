// Where the content of a streamed answer comes from, piece by piece.
//
//     next ──▶ bytes ──taken by the peer──▶ next …
//          ──▶ waiting ──records arrive────▶ next …
//          ──▶ end │ broken
//
// Promises: pull: nothing is made before the peer has taken what came before, so a slow reader costs a position and not
// memory. A source is a value that goes to the query queue and comes back with its piece: it needs no lock.
// Must not know: connections, HTTP versions, framing.

/// The rest of a content. It goes where its stream goes.
protocol StreamSource: Sendable {
    /// The next piece, of about `bytesMax` at most. On a query queue.
    mutating func next(bytesMax: Int, using scratch: inout QueryScratch) -> StreamPiece
}

enum StreamPiece: Sendable {
    /// Never empty.
    case bytes([UInt8])
    /// Nothing for now: it is asked again when records have arrived, an export after a while.
    case waiting
    case end
    /// The rest cannot be had: the peer must not take what it got for all of it.
    case broken
}

/// Which streams there are; each kind has its bound, and what it does while nothing comes.
enum StreamKind: Sendable {
    /// Goes on for ever, and ends with the server.
    case events
    /// Has an end, and is let go on to it while the server stops.
    case export
}

struct PreparedStream: Sendable {
    let kind: StreamKind
    let source: any StreamSource
    /// Of the request, for a problem's `instance`.
    let path: [UInt8]
}
