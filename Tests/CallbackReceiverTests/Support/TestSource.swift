// A stream's content in a test's hands: what is put into it comes out in order, and it is known what was asked of it.
//
// Promises: every stream of one `Feed` gets all of it, from the beginning. Must not know: how a stream goes out.

import HTTPWire
import Synchronization

@testable import CallbackReceiver

/// What all streams of it get.
final class Feed: Sendable {
    struct State {
        var text: [UInt8] = []
        var end: StreamPiece?
        var pulls = 0
        var pulledBytes = 0
    }

    let state = Mutex(State())

    /// One more line for everybody.
    func add(_ text: String) { state.withLock { $0.text += Array(text.utf8) } }

    /// What follows when all of it has been given.
    func end(_ end: StreamPiece) { state.withLock { $0.end = end } }

    var pulls: Int { state.withLock { $0.pulls } }
    var pulledBytes: Int { state.withLock { $0.pulledBytes } }

    /// A stream of it.
    func stream(_ kind: StreamKind = .events) -> Disposition {
        .stream(PreparedStream(kind: kind, source: FeedSource(feed: self), path: Array("/stream".utf8)))
    }
}

/// A position in it.
private struct FeedSource: StreamSource {
    let feed: Feed
    var position = 0

    mutating func next(bytesMax: Int, using scratch: inout QueryScratch) -> StreamPiece {
        let position = position
        let piece = feed.state.withLock { state -> StreamPiece in
            state.pulls += 1
            guard position < state.text.count else { return state.end ?? .waiting }
            let bytes = Array(state.text[position..<min(position + bytesMax, state.text.count)])
            state.pulledBytes += bytes.count
            return .bytes(bytes)
        }
        if case .bytes(let bytes) = piece { self.position += bytes.count }
        return piece
    }
}

/// Has no end: the same line again and again, whoever reads it.
struct EndlessSource: StreamSource {
    let pulledBytes: CountedBytes
    static let line = Array(String(repeating: "0123456789abcde\n", count: 64).utf8)

    final class CountedBytes: Sendable {
        private let bytes = Atomic<Int>(0)
        func add(_ count: Int) { bytes.add(count, ordering: .relaxed) }
        var count: Int { bytes.load(ordering: .relaxed) }
    }

    mutating func next(bytesMax: Int, using scratch: inout QueryScratch) -> StreamPiece {
        let bytes = Array(repeating: Self.line, count: max(1, bytesMax / Self.line.count)).flatMap { $0 }
        pulledBytes.add(bytes.count)
        return .bytes(bytes)
    }
}
