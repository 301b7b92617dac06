// The file `superseded`: which records were no longer the newest of their request, through a position. Derived, and
// made again on any fault (invariant 6).
//
// Little-endian:
//
//     at byte    0 "clogsups"            24 log's id, low half (8)
//                8 format version (4)    32 through which position (8)
//               12 zero (4)              40 segments listed (8)
//               16 log's id, high (8)    48 chunks (8)
//     from      56 a sealed segment: first sequence (8), records in it (8); ascending
//     then         a chunk: number (8), 8,192 bytes of bits, of sequence number × 65,536 first; ascending by number
//     the last 4   CRC-32C of all bytes before
//
// Valid is a file of the size that its counts say, whose checksum holds, of this log, through no position that the log
// does not have; and of segments that have as many records as they had: one that has lost some since makes its
// successors in the log newest again.
// Promises: memory follows the file's size, which is bounded by the log's positions before anything is allocated.
// Must not know: when it is written, how bits come to be.

import Platform

enum SupersessionFile {
    /// "clogsups"
    private static let magic: UInt64 = 0x7370_7573_676F_6C63
    private static let version: UInt32 = 1
    private static let headerBytes = 56
    private static let segmentBytes = 16
    private static let chunkBytes = 8 + Supersessions.chunkWords * 8
    private static let checksumBytes = 4
    /// How much is written and synchronized at once: a long fdatasync would hold up that of the log.
    private static let pieceBytes = 1 << 20

    /// What a file says, or is to say.
    struct Content: Equatable, Sendable {
        var logID: (UInt64, UInt64)
        var through: UInt64
        /// By first sequence.
        var recordCounts: [UInt64: Int] = [:]
        var chunks: [UInt64: [UInt64]] = [:]

        static func == (a: Content, b: Content) -> Bool {
            a.logID == b.logID && a.through == b.through && a.recordCounts == b.recordCounts && a.chunks == b.chunks
        }
    }

    /// Writes the file beside its name, and renames it. The directory is not synced for it: a file that a crash takes
    /// along is made again.
    static func write(_ content: Content, to directory: any Directory) throws(SystemError) {
        let unfinished = SegmentName.unfinished(SegmentName.superseded)
        if try directory.names().contains(unfinished) { try directory.remove(unfinished) }
        var output = Output(file: try directory.create(unfinished))
        var header = [UInt8](repeating: 0, count: headerBytes)
        LittleEndian.store(magic, in: &header, at: 0)
        LittleEndian.store(version, in: &header, at: 8)
        LittleEndian.store(content.logID.0, in: &header, at: 16)
        LittleEndian.store(content.logID.1, in: &header, at: 24)
        LittleEndian.store(content.through, in: &header, at: 32)
        LittleEndian.store(UInt64(content.recordCounts.count), in: &header, at: 40)
        LittleEndian.store(UInt64(content.chunks.count), in: &header, at: 48)
        try output.append(header)
        for (first, count) in content.recordCounts.sorted(by: { $0.key < $1.key }) { try output.append([first, UInt64(count)]) }
        for (number, words) in content.chunks.sorted(by: { $0.key < $1.key }) {
            try output.append([number])
            try output.append(words)
        }
        try output.finish()
        try directory.rename(unfinished, to: SegmentName.superseded)
    }

    /// What the file says; nil where it is not valid. `through` is at most `durable`, the log's position.
    static func read(from directory: any Directory, logID: (UInt64, UInt64), durable: UInt64) throws(SystemError) -> Content? {
        let file = try directory.open(SegmentName.superseded)
        let size = try file.size()
        guard size >= Int64(headerBytes + checksumBytes) else { return nil }
        var input = Input(file: file, left: size - Int64(checksumBytes))
        let header = try input.next(headerBytes)
        func number(_ offset: Int) -> UInt64 { LittleEndian.load64(header.span, at: offset) }
        guard header.count == headerBytes, number(0) == magic, LittleEndian.load32(header.span, at: 8) == version,
            LittleEndian.load32(header.span, at: 12) == 0, (number(16), number(24)) == logID, number(32) <= durable,
            // Neither is more than the log has positions, nor than the file has room for.
            number(40) <= durable, number(48) <= durable, number(40) <= UInt64(size) / UInt64(segmentBytes),
            number(48) <= UInt64(size) / UInt64(chunkBytes),
            size == Int64(headerBytes) + Int64(number(40)) * Int64(segmentBytes) + Int64(number(48)) * Int64(chunkBytes) + Int64(checksumBytes)
        else { return nil }
        var content = Content(logID: logID, through: number(32))
        let segmentCount = Int(number(40))
        let chunkCount = Int(number(48))
        var before: UInt64?
        for _ in 0..<segmentCount {
            let segment = try input.next(segmentBytes)
            guard segment.count == segmentBytes else { return nil }
            let first = LittleEndian.load64(segment.span, at: 0)
            let count = LittleEndian.load64(segment.span, at: 8)
            guard before.map({ $0 < first }) ?? true, count <= durable else { return nil }
            content.recordCounts[first] = Int(count)
            before = first
        }
        before = nil
        for _ in 0..<chunkCount {
            let chunk = try input.next(chunkBytes)
            guard chunk.count == chunkBytes else { return nil }
            let chunkNumber = LittleEndian.load64(chunk.span, at: 0)
            guard before.map({ $0 < chunkNumber }) ?? true, chunkNumber <= durable / Supersessions.chunkRecords else { return nil }
            content.chunks[chunkNumber] = (0..<Supersessions.chunkWords).map { LittleEndian.load64(chunk.span, at: 8 + 8 * $0) }
            before = chunkNumber
        }
        return try input.isSound() ? content : nil
    }

    /// Writes a file from its beginning, and its checksum last.
    private struct Output {
        private let file: any File
        private var piece: [UInt8] = []
        private var written: Int64 = 0
        private var checksum: UInt32 = 0

        init(file: any File) { self.file = file }

        mutating func append(_ bytes: [UInt8]) throws(SystemError) {
            piece += bytes
            if piece.count >= pieceBytes { try flush() }
        }

        mutating func append(_ numbers: [UInt64]) throws(SystemError) {
            let start = piece.count
            piece.append(contentsOf: repeatElement(0, count: numbers.count * 8))
            for (index, number) in numbers.enumerated() { LittleEndian.store(number, in: &piece, at: start + 8 * index) }
            if piece.count >= pieceBytes { try flush() }
        }

        private mutating func flush() throws(SystemError) {
            checksum = CRC32C.checksum(piece.span, continuing: checksum)
            written += try file.writeWhole(piece, at: written)
            try file.synchronizeData()
            piece.removeAll(keepingCapacity: true)
        }

        mutating func finish() throws(SystemError) {
            checksum = CRC32C.checksum(piece.span, continuing: checksum)
            piece.append(contentsOf: repeatElement(0, count: checksumBytes))
            LittleEndian.store(checksum, in: &piece, at: piece.count - checksumBytes)
            try file.writeWhole(piece, at: written)
            try file.synchronizeData()
        }
    }

    /// Reads a file from its beginning.
    private struct Input {
        let file: any File
        /// Before the checksum.
        private var left: Int64
        private var position: Int64 = 0
        private var checksum: UInt32 = 0

        init(file: any File, left: Int64) {
            self.file = file
            self.left = left
        }

        /// The next bytes, of which there are so many; fewer where the file was cut meanwhile.
        mutating func next(_ count: Int) throws(SystemError) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: count)
            let got = try file.read(at: position, count: count, into: &bytes, from: 0)
            bytes.removeLast(count - got)
            checksum = CRC32C.checksum(bytes.span, continuing: checksum)
            position += Int64(got)
            left -= Int64(got)
            return bytes
        }

        /// True where all was read, and the checksum behind it holds.
        mutating func isSound() throws(SystemError) -> Bool {
            guard left == 0 else { return false }
            let expected = checksum
            let bytes = try next(checksumBytes)
            return bytes.count == checksumBytes && LittleEndian.load32(bytes.span, at: 0) == expected
        }
    }
}
