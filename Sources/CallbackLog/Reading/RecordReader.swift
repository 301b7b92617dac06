// One record read back from its segment, checked as if it were foreign.
//
// Promises: what it returns is the whole line at that place, its checksum and sequence verified when it was
// read. One buffer a reader, reused; each loop has its own, for one log.
// Must not know: which record answers which question.

import Platform

/// Why a record could not be read back.
public enum RecordReadFailure: Error, Sendable, Equatable, CustomStringConvertible {
    case system(SystemError)
    /// The bytes there are no longer the record that was written.
    case damaged(segment: String, offset: Int64)
    /// A segment's index is being made; until then it is not known what it holds.
    case indexing

    public var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .damaged(let segment, let offset): "damaged record in \(segment) at byte \(offset)"
        case .indexing: "the index of a segment is being made"
        }
    }
}

/// Reads records; holds the last one's bytes.
public struct RecordReader: Sendable {
    /// The line last read is `bytes[..<count]`, without its line feed.
    public private(set) var bytes: [UInt8] = []
    /// Of that line, in bytes.
    public private(set) var count = 0
    /// Of the index that was looked into last.
    var pages: IndexPageBuffer
    /// Says when it waits for the disk.
    public var disk: DiskWait { pages.disk }
    /// What `bytes` hold. A durable sequence names one record for ever, so it need not be read twice.
    private var held: ParsedLine?
    /// A larger buffer than this is not kept after use: an idle loop stays small.
    private static let keptBytesMax = 128 * 1_024

    /// Holds nothing yet; `disk` hears of every wait.
    public init(disk: DiskWait = DiskWait()) { pages = IndexPageBuffer(disk: disk) }

    mutating func read(_ entry: RecordEntry, in file: any File) throws(RecordReadFailure) -> ParsedLine {
        if let held, held.sequence == entry.sequence { return held }
        let length = Int(entry.length)
        if bytes.count < length || (bytes.count > Self.keptBytesMax && length <= Self.keptBytesMax) {
            bytes = [UInt8](repeating: 0, count: max(length, 4_096))
        }
        count = 0
        held = nil
        let got: Int
        do throws(SystemError) {
            got = try disk.during { () throws(SystemError) in try file.read(at: Int64(entry.offset), count: length, into: &bytes, from: 0) }
        } catch {
            throw .system(error)
        }
        guard got == length, let line = ParsedLine(bytes.span.extracting(0..<length)), line.sequence == entry.sequence else {
            throw .damaged(segment: file.name, offset: Int64(entry.offset))
        }
        count = length
        held = line
        return line
    }
}
