// One segment read from front to end: which lines are sound, which places are not, what is proven.
//
//     line                                       meaning
//     sound, sequence = last + 1                 a record
//     sound, sequence > last + 1                 a record after a place where lines are missing
//     sound, sequence <= last                    not a record here: an unsound place
//     checkpoint                                 proves; above `last` it shows a place where lines are missing
//     anything else, or no line feed at the end  an unsound place
//     empty, or NUL bytes only                   padding
//     NUL bytes within                           end what is before them, which is not whole, and begin a line
//
// An unsound place has the sequence last + 1. It is damage once a sound line after it has `durable` at or
// above that sequence; what no line proves by the end of the log is the tear of a crash (API.md §7). Where
// the next segment begins, this one ends, whatever follows.
// Promises: memory is one line; every length is bounded before it is believed.
// Must not know: what is done about tears and damage (Recovery.swift).

import Platform

/// Where the log is not sound.
public struct UnsoundPlace: Sendable, Equatable {
    /// The segment's file name.
    public let segment: String
    /// Of the bad line's start, in bytes; the segment's end where lines are missing at its end.
    public let offset: Int64
    /// The sequence that is not there.
    public let sequence: UInt64
}

/// What the lines so far have shown; carried from segment to segment.
struct ScanState {
    /// Bound on the damaged places that are kept for the report; more are only counted.
    static let damagesMax = 1_000
    /// Bound on unsound places that wait for a proof. One that comes beyond it counts to the last.
    static let pendingMax = 65_536

    var last: UInt64
    /// The highest `durable` of a sound line, or what the first segment's name says.
    var proven: UInt64
    /// The highest `durable` of a sound line; 0 where there was none.
    var provenByLine: UInt64 = 0
    var latest = Timestamp(milliseconds: 0)
    var pending: [UnsoundPlace] = []
    var damages: [UnsoundPlace] = []
    var damageCount = 0
    /// The newest damaged place, whether or not `damages` had room for it.
    var newestDamage: UnsoundPlace?

    /// Before the first segment, whose name says that everything below it was once durable.
    init(first: UInt64) {
        last = first - 1
        proven = first - 1
    }

    mutating func mark(unsound segment: String, at offset: Int64) {
        if let open = pending.last, open.sequence == last + 1, open.segment == segment { return }
        guard pending.count < Self.pendingMax else { return }
        pending.append(UnsoundPlace(segment: segment, offset: offset, sequence: last + 1))
    }

    mutating func prove(_ durable: UInt64) {
        provenByLine = max(provenByLine, durable)
        proven = max(proven, durable)
        guard let first = pending.first, first.sequence <= durable else { return }
        let count = pending.firstIndex { $0.sequence > durable } ?? pending.count
        damageCount += count
        newestDamage = pending[count - 1]
        damages.append(contentsOf: pending[..<count].prefix(Self.damagesMax - damages.count))
        pending.removeFirst(count)
    }
}

struct SegmentScan {
    /// Sound records.
    var records = 0
    /// When the first sound record was received, and the last sound line was written.
    var earliest: Timestamp?
    var latest: Timestamp?
    /// Why the rest of the segment could not be read.
    var failure: SystemError?
    /// Behind the last sound line's line feed.
    var end: Int64 = 0
    var size: Int64 = 0
    /// Where the last sound line begins, when it is a checkpoint.
    var checkpoint: Int64?
    /// How much is read at once.
    static let chunkBytes = 1 << 20

    /// Reads `file`, whose name says that it begins at `first`. What stands at or above `successor`, where the
    /// next segment begins, is ignored. `visit` is given each sound record: its line, the bytes of it, and their
    /// offset in the file.
    init(
        _ file: any File, first: UInt64, successor: UInt64?, state: inout ScanState,
        visit: (ParsedLine, Span<UInt8>, Int64) throws(SystemError) -> Void
    ) throws(SystemError) {
        size = try file.size()
        state.last = first - 1
        var lines = LineReader(file: file, size: size)
        while true {
            let next: LineReader.Line?
            do throws(SystemError) {
                next = try lines.next()
            } catch {
                // A bad block in an old segment is damage like any other and stops no start: the rest of the
                // segment is not served. In the newest one it is not known what would be written over.
                guard let successor else { throw error }
                failure = error
                if state.last + 1 < successor { state.mark(unsound: file.name, at: lines.offset) }
                break
            }
            guard let found = next else { break }
            // Full: only its checkpoints still count, which say nothing about what the successor holds.
            let isFull = successor.map { state.last + 1 >= $0 } ?? false
            guard found.isWhole, let line = ParsedLine(lines.bytes.span.extracting(found.range)),
                line.sequence.map({ $0 > state.last }) ?? true
            else {
                if isFull { break }
                state.mark(unsound: file.name, at: found.offset)
                continue
            }
            if let successor, line.sequence ?? line.durable >= successor {
                if !isFull { state.mark(unsound: file.name, at: found.offset) }
                break
            }
            if let sequence = line.sequence {
                if sequence > state.last + 1 { state.mark(unsound: file.name, at: found.offset) }
                state.last = sequence
            } else if line.durable > state.last {
                state.mark(unsound: file.name, at: found.offset)
                state.last = line.durable
            }
            state.prove(line.durable)
            state.latest = max(state.latest, line.receivedAt)
            latest = line.receivedAt
            end = found.end
            checkpoint = line.kind == .checkpoint ? found.offset : nil
            if line.sequence != nil {
                records += 1
                earliest = earliest ?? line.receivedAt
                try visit(line, lines.bytes.span.extracting(found.range), found.offset)
            }
        }
        if let successor, state.last + 1 < successor {
            // Where it was marked already, that place stands.
            state.mark(unsound: file.name, at: size)
            state.last = successor - 1
        }
    }
}

/// The lines of a file, one after the other, in one buffer.
struct LineReader {
    struct Line {
        /// In `bytes`, without the line feed and the NUL padding around it.
        let range: Range<Int>
        /// Of the first byte of `range` in the file.
        let offset: Int64
        /// Behind the line feed in the file: where the next line begins.
        let end: Int64
        /// False before NUL bytes within a line, at the end of the file without a line feed, and for what is longer than any line.
        let isWhole: Bool
    }

    private let file: any File
    private let size: Int64
    private(set) var bytes: [UInt8]
    private var filled = 0
    private var lineStart = 0
    /// The offset in the file of `bytes[0]`.
    private var base: Int64 = 0
    /// Before this no line feed stands at or behind `lineStart`.
    private var feedFrom = 0
    /// An overlong line is being skipped: the offset where it began.
    private var overlongFrom: Int64?

    init(file: any File, size: Int64) {
        self.file = file
        self.size = size
        bytes = [UInt8](repeating: 0, count: Int(min(max(size, 1), Int64(SegmentScan.chunkBytes))))
    }

    /// Where the line that is being read begins in the file.
    var offset: Int64 { overlongFrom ?? base + Int64(lineStart) }

    /// The next line that is not padding; nil at the end. `bytes` is valid until the next call.
    mutating func next() throws(SystemError) -> Line? {
        while true {
            if let feed = ByteSearch.firstIndex(of: 0x0A, in: bytes.span.extracting(0..<filled), from: max(lineStart, feedFrom)) {
                feedFrom = feed
                if let from = overlongFrom {
                    overlongFrom = nil
                    return unwhole(from, upTo: feed + 1)
                }
                if let line = take(upTo: feed, isWhole: true) { return line }
                continue
            }
            feedFrom = filled
            skipPadding(upTo: filled)
            if base + Int64(filled) >= size {
                if let from = overlongFrom {
                    overlongFrom = nil
                    return unwhole(from, upTo: filled)
                }
                return take(upTo: filled, isWhole: false)
            }
            if filled - lineStart > RecordFormat.lineBytesMax, overlongFrom == nil {
                let (range, behind) = piece(upTo: filled)
                if range.upperBound < filled { return unwhole(range, next: behind) }
            }
            try fill()
        }
    }

    /// What was skipped since `from`: it counts as one line, which is not there.
    private mutating func unwhole(_ from: Int64, upTo end: Int) -> Line {
        lineStart = end
        return Line(range: end..<end, offset: from, end: base + Int64(end), isWhole: false)
    }

    private mutating func unwhole(_ range: Range<Int>, next: Int) -> Line {
        lineStart = next
        return Line(range: range, offset: base + Int64(range.lowerBound), end: base + Int64(range.upperBound), isWhole: false)
    }

    /// What stands before `end`, a line feed or the end of the file, or a piece of it; nil for padding. NUL bytes within are
    /// all that is left of a line whose file was cut short while it was written to: what is behind them is a line of its
    /// own, and as sound as ever.
    private mutating func take(upTo end: Int, isWhole: Bool) -> Line? {
        skipPadding(upTo: end)
        let (range, behind) = piece(upTo: end)
        if behind < end { return unwhole(range, next: behind) }
        lineStart = min(end + 1, filled)
        guard !range.isEmpty else { return nil }
        return Line(
            range: range, offset: base + Int64(range.lowerBound), end: base + Int64(lineStart),
            isWhole: isWhole && range.count <= RecordFormat.lineBytesMax)
    }

    /// What stands before the next NUL bytes or `end`, and where what is behind these begins. Each byte is looked at once, so
    /// that a file takes no longer for being full of them.
    private func piece(upTo end: Int) -> (range: Range<Int>, behind: Int) {
        let hole = ByteSearch.firstIndex(of: 0, in: bytes.span.extracting(0..<end), from: lineStart) ?? end
        var behind = hole
        while behind < end, bytes[behind] == 0 { behind += 1 }
        return (lineStart..<hole, behind)
    }

    private mutating func skipPadding(upTo end: Int) {
        while lineStart < end, bytes[lineStart] == 0 { lineStart += 1 }
    }

    /// Moves what is left of the line to the front and reads behind it.
    private mutating func fill() throws(SystemError) {
        if filled - lineStart > RecordFormat.lineBytesMax, overlongFrom == nil { overlongFrom = base + Int64(lineStart) }
        if overlongFrom != nil { lineStart = filled }
        let rest = filled - lineStart
        if lineStart > 0 {
            bytes.replaceSubrange(0..<rest, with: Array(bytes[lineStart..<filled]))
            base += Int64(lineStart)
            feedFrom = max(0, feedFrom - lineStart)
            lineStart = 0
            filled = rest
        }
        if filled == bytes.count { bytes.append(contentsOf: [UInt8](repeating: 0, count: bytes.count)) }
        let got = try file.read(at: base + Int64(filled), count: bytes.count - filled, into: &bytes, from: filled)
        // A file that shrank underneath: what is not there ends the scan, as the end of the file.
        if got == 0 { throw SystemError(operation: "pread", path: file.name, code: SystemError.inputOutput) }
        filled += got
    }
}
