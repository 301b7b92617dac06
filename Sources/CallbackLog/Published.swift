// What readers see: the durable part of the log, behind one short lock.
//
// Promises: nothing above the durable position is in here (invariant 2); the writer adds a whole batch at
// once, after its fdatasync; no system call happens under the lock. Readers never stop the writer for longer
// than a look-up.
// Must not know: batches, sockets.

import Platform
import Synchronization

/// Why the log takes nothing now.
public enum LogBlock: Sendable, Equatable, CustomStringConvertible {
    /// A write or fdatasync failed, and so did the fresh segment after it (invariant 3).
    case failed(SystemError)
    /// The path no longer leads to the directory that was opened (invariant 5).
    case directoryGone(path: String)
    /// Less than `log.free-bytes-min` is free.
    case space(freeBytes: Int64, freeBytesMin: Int64)

    public var description: String {
        switch self {
        case .failed(let error): "the log cannot be written: \(error)"
        case .directoryGone: "the log directory was deleted, moved or replaced; put it back, or restart the server"
        case .space(let free, let minimum): "\(free) bytes are free on the log's file system and \(minimum) are wanted (log.free-bytes-min); free some"
        }
    }
}

/// The records of one request in one segment, newest first. Not verified: a hash led here.
struct Chain {
    let segment: any File
    /// The chain's newest entry in the segment's index.
    let head: Int
    let isInOpenSegment: Bool
    let entries: [RecordEntry]
}

struct Published {
    /// Oldest first; the last is the open one.
    var segments: [Segment]
    var durable: UInt64
    var block: LogBlock?

    /// Every chain whose hash is this one, newest segment first.
    func chains(of requestHash: UInt64) -> [Chain] {
        var chains: [Chain] = []
        for ordinal in segments.indices.reversed() {
            for head in segments[ordinal].index.heads(of: requestHash) {
                var entries: [RecordEntry] = []
                var index: Int? = head
                while let current = index {
                    entries.append(segments[ordinal].index.entries[current])
                    index = segments[ordinal].index.previous(of: current)
                }
                chains.append(
                    Chain(
                        segment: segments[ordinal].file, head: head, isInOpenSegment: ordinal == segments.count - 1,
                        entries: entries))
            }
        }
        return chains
    }
}

/// Shared by the writer and all readers.
final class Shared: Sendable {
    let published: Mutex<Published>
    /// Since when the writer is writing, in monotonic milliseconds; 0 while it is not.
    let busySinceMilliseconds = Atomic<Int64>(0)

    init(_ published: sending Published) { self.published = Mutex(published) }

    func chains(of requestHash: UInt64) -> [Chain] { published.withLock { $0.chains(of: requestHash) } }
}

extension Chain {
    /// True where the chain is that of `identifier`: one of its records, the newest that can be read, says so.
    func names(_ identifier: Span<UInt8>, using reader: inout RecordReader) throws(RecordReadFailure) -> Bool {
        var failure: RecordReadFailure?
        for entry in entries {
            do throws(RecordReadFailure) {
                return try reader.read(entry, in: segment).names(identifier, in: reader.bytes.span)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return false
    }
}
