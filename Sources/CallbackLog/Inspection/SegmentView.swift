// A stretch of a segment's file as it was when it was first looked at: what reads beside a live server sees.
//
// Promises: it never writes and never changes. The server writes from front to end and pads ahead; so once the
// last byte that is no padding was seen, all before it are there, and only the line that ends with it may be half.
// Padding that is cut off later is read as padding still.
// Must not know: lines, sequences.

import Platform

final class SegmentView: File {
    let name: String
    private let file: any File
    private let start: Int64
    private let end: Int64
    /// Told how many bytes were read, each time.
    private let passed: @Sendable (Int) -> Void
    /// How much is read at once in search of the end.
    private static let pieceBytes = 64 * 1_024

    /// The bytes of `file` from `start` up to `end`.
    init(_ file: any File, from start: Int64 = 0, to end: Int64, passed: @escaping @Sendable (Int) -> Void = { _ in }) {
        name = file.name
        self.file = file
        self.start = start
        self.end = max(start, end)
        self.passed = passed
    }

    func size() throws(SystemError) -> Int64 { end - start }

    func isLinked() throws(SystemError) -> Bool { try file.isLinked() }

    func read(at offset: Int64, count: Int, into buffer: inout [UInt8], from first: Int) throws(SystemError) -> Int {
        let wanted = Int(min(Int64(count), max(0, end - start - offset)))
        let got = try file.read(at: start + offset, count: wanted, into: &buffer, from: first)
        for index in got..<max(got, wanted) { buffer[first + index] = 0x0A }
        passed(wanted)
        return wanted
    }

    func write(_ bytes: [UInt8], from start: Int, at offset: Int64) throws(SystemError) -> Int { throw Self.refusal(name) }
    func synchronizeData() throws(SystemError) { throw Self.refusal(name) }
    func truncate(to size: Int64) throws(SystemError) { throw Self.refusal(name) }

    private static func refusal(_ name: String) -> SystemError {
        SystemError(operation: "write", path: name, code: SystemError.inputOutput)
    }

    // MARK: padding

    private static func isPadding(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0 }

    /// Where the padding at the end of `file` begins, but for what ends the last line: all up to its first line feed.
    static func contentEnd(of file: any File) throws(SystemError) -> Int64 {
        var upper = try file.size()
        var feed: Int64?
        var buffer = [UInt8](repeating: 0, count: pieceBytes)
        while upper > 0 {
            let lower = max(0, upper - Int64(pieceBytes))
            let got = try file.read(at: lower, count: Int(upper - lower), into: &buffer, from: 0)
            let end = buffer[..<got].lastIndex { !isPadding($0) }.map { $0 + 1 }
            if let found = buffer[(end ?? 0)..<got].firstIndex(of: 0x0A) { feed = lower + Int64(found) }
            if let end { return feed.map { $0 + 1 } ?? lower + Int64(end) }
            upper = lower
        }
        return 0
    }

    /// The first byte of `file` at or behind `offset` that is no padding; nil where there is none up to `end`.
    static func contentStart(of file: any File, from offset: Int64, to end: Int64) throws(SystemError) -> Int64? {
        var position = offset
        var buffer = [UInt8](repeating: 0, count: Int(min(Int64(pieceBytes), max(0, end - offset))))
        while position < end {
            let got = try file.read(at: position, count: Int(min(Int64(buffer.count), end - position)), into: &buffer, from: 0)
            if got == 0 { return nil }
            if let first = buffer[..<got].firstIndex(where: { !isPadding($0) }) { return position + Int64(first) }
            position += Int64(got)
        }
        return nil
    }
}
