// Pages of an index file: sealed when written, checked when read.
//
// Promises: a page is taken only where its checksum holds for the place and for the index that it was asked for: each
// index draws a number, so that no page of one that was built anew under the same name is taken for one of it.
// `IndexPageBuffer` holds a few, so that a run on them, and a look-up that is repeated, reads none.
// Must not know: what is in a page.

import Platform

enum IndexPage {
    static let bytes = 4_096
    /// Without the checksum.
    static let contentBytes = bytes - 4

    /// Instead of an index's number in the checksum of its header, where that number is not known yet.
    static let header: UInt64 = 0

    /// Writes the checksum of this page of the index of this number. The page begins at `start` in `buffer`.
    static func seal(_ buffer: inout [UInt8], at start: Int, page: Int, ofIndex number: UInt64) {
        let checksum = checksum(buffer.span.extracting(start..<(start + contentBytes)), page, number)
        LittleEndian.store(checksum, in: &buffer, at: start + contentBytes)
    }

    /// True where `bytes`, a whole page, were sealed as this page of this index.
    static func isSound(_ bytes: Span<UInt8>, page: Int, ofIndex number: UInt64) -> Bool {
        checksum(bytes.extracting(0..<contentBytes), page, number) == LittleEndian.load32(bytes, at: contentBytes)
    }

    private static func checksum(_ content: Span<UInt8>, _ page: Int, _ number: UInt64) -> UInt32 {
        var place = InlineArray<16, UInt8>(repeating: 0)
        for index in 0..<8 {
            place[index] = UInt8(truncatingIfNeeded: page >> (8 * index))
            place[8 + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index))
        }
        return CRC32C.checksum(content, continuing: CRC32C.checksum(place.span))
    }
}

/// Kept by whoever reads indexes, for one look-up after the other.
package struct IndexPageBuffer: Sendable {
    /// Pages that are held, 64 KiB for each reader: one more takes the place of that which was asked for longest ago.
    static let pagesMax = 16

    private struct Held {
        var bytes: [UInt8]
        /// Which page of which index it is; nil where it was not read whole.
        var key: Key?
        var used: UInt64
    }

    private struct Key: Equatable {
        let index: UInt64
        let page: Int
    }

    /// The page that was loaded last.
    private(set) var bytes = [UInt8](repeating: 0, count: IndexPage.bytes)
    private var key: Key?
    /// Those before it.
    private var others: [Held] = []
    private var clock: UInt64 = 0
    /// The records that a look-up has found and not yet read: at most as many as it asked for.
    var ordinals: [UInt32] = []
    /// What a look-up of a request finds in one segment; at most `IndexFile.runEntriesMax`.
    var entries: [RecordEntry] = []

    /// Says when it waits for the disk.
    let disk: DiskWait

    package init(disk: DiskWait = DiskWait()) { self.disk = disk }

    /// Fills `bytes` with a page of the index of this number, which is in `file`.
    mutating func load(_ page: Int, ofIndex number: UInt64, in file: any File) throws(IndexFault) {
        let wanted = Key(index: number, page: page)
        if key == wanted { return }
        clock += 1
        if let place = others.firstIndex(where: { $0.key == wanted }) { return turn(to: place) }
        if others.count < Self.pagesMax - 1 {
            others.append(Held(bytes: [UInt8](repeating: 0, count: IndexPage.bytes), key: nil, used: 0))
            turn(to: others.count - 1)
        } else if let oldest = others.indices.min(by: { others[$0].used < others[$1].used }) {
            turn(to: oldest)
        }
        key = nil
        let got: Int
        do throws(SystemError) {
            got = try disk.during { () throws(SystemError) in
                try file.read(at: Int64(page) * Int64(IndexPage.bytes), count: IndexPage.bytes, into: &bytes, from: 0)
            }
        } catch {
            throw .system(error)
        }
        guard got == IndexPage.bytes, IndexPage.isSound(bytes.span, page: page, ofIndex: number) else { throw .damaged(page: page) }
        key = wanted
    }

    /// The page at `place` of the others becomes `bytes`, and that before it takes its place.
    private mutating func turn(to place: Int) {
        swap(&bytes, &others[place].bytes)
        swap(&key, &others[place].key)
        others[place].used = clock
    }
}

/// Writes an index file from page 1 on, section after section. Page 0 comes last.
///
/// What is written is synchronized in pieces: a long fdatasync would hold up that of the log, on the same journal.
struct IndexPageWriter {
    /// How much is written and synchronized at once.
    static let pieceBytes = 1 << 20
    private static let emptyPage = [UInt8](repeating: 0, count: IndexPage.bytes)

    private let file: any File
    /// Whole pages, the last of which is being filled. Items are stored at the places that `place(for:)` gives.
    var piece: [UInt8] = []
    /// How much of the last page is filled; 0 where none is begun.
    private var filled = 0
    /// The number of the page at the start of `piece`.
    private var firstPage = 1

    /// The index's own number; part of each page's checksum.
    private let number: UInt64

    init(_ file: any File, number: UInt64) {
        self.file = file
        self.number = number
    }

    /// Room for an item of so many bytes: its place in `piece`. An item never lies on two pages.
    mutating func place(for count: Int) throws(SystemError) -> Int {
        if filled + count > IndexPage.contentBytes { try finishSection() }
        if filled == 0 { piece.append(contentsOf: Self.emptyPage) }
        filled += count
        return piece.count - IndexPage.bytes + filled - count
    }

    /// What follows begins on a page.
    mutating func finishSection() throws(SystemError) {
        guard filled > 0 else { return }
        filled = 0
        IndexPage.seal(
            &piece, at: piece.count - IndexPage.bytes, page: firstPage + piece.count / IndexPage.bytes - 1, ofIndex: number)
        if piece.count == Self.pieceBytes { try flush() }
    }

    private mutating func flush() throws(SystemError) {
        guard !piece.isEmpty else { return }
        try file.writeWhole(piece, at: Int64(firstPage) * Int64(IndexPage.bytes))
        try file.synchronizeData()
        firstPage += piece.count / IndexPage.bytes
        piece.removeAll(keepingCapacity: true)
    }

    /// Writes what is left, then `header`, a sealed page 0.
    mutating func finish(header: [UInt8]) throws(SystemError) {
        try flush()
        try file.writeWhole(header, at: 0)
        try file.synchronizeData()
    }
}
