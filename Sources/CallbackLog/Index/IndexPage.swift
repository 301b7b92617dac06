// Pages of an index file: sealed when written, checked when read.
//
// Promises: a page is taken only where its checksum holds for the number that it was asked by. `IndexPageBuffer` holds
// one page, so that a run on it is read once; the file of an index never changes, and each index has a number of its
// own, so that one built anew under the same name is not taken for it.
// Must not know: what is in a page.

import Platform

enum IndexPage {
    static let bytes = 4_096
    /// Without the checksum.
    static let contentBytes = bytes - 4

    /// Writes the checksum of the page `number`, which begins at `start` in `buffer`.
    static func seal(_ buffer: inout [UInt8], at start: Int, number: Int) {
        let checksum = checksum(buffer.span.extracting(start..<(start + contentBytes)), number: number)
        LittleEndian.store(checksum, in: &buffer, at: start + contentBytes)
    }

    /// True where `page`, all its bytes, was sealed as the page `number`.
    static func isSound(_ page: Span<UInt8>, number: Int) -> Bool {
        checksum(page.extracting(0..<contentBytes), number: number) == LittleEndian.load32(page, at: contentBytes)
    }

    private static func checksum(_ content: Span<UInt8>, number: Int) -> UInt32 {
        var place = InlineArray<8, UInt8>(repeating: 0)
        for index in 0..<8 { place[index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
        return CRC32C.checksum(content, continuing: CRC32C.checksum(place.span))
    }
}

/// Kept by whoever reads indexes, for one look-up after the other.
struct IndexPageBuffer: Sendable {
    /// The page that was loaded last.
    private(set) var bytes = [UInt8](repeating: 0, count: IndexPage.bytes)
    private var held: (index: UInt64, page: Int)?
    /// The records that a look-up has found and not yet read; at most `IndexFile.runEntriesMax`.
    var ordinals: [UInt32] = []

    /// Fills `bytes` with a page of the index of this number, which is in `file`.
    mutating func load(_ page: Int, ofIndex number: UInt64, in file: any File) throws(IndexFault) {
        if let held, held.index == number, held.page == page { return }
        held = nil
        let got: Int
        do throws(SystemError) {
            got = try file.read(at: Int64(page) * Int64(IndexPage.bytes), count: IndexPage.bytes, into: &bytes, from: 0)
        } catch {
            throw .system(error)
        }
        guard got == IndexPage.bytes, IndexPage.isSound(bytes.span, number: page) else { throw .damaged(page: page) }
        held = (number, page)
    }
}

/// Writes an index file from page 1 on, section after section. Page 0 comes last.
///
/// What is written is synchronized in pieces: a long fdatasync would hold up that of the log, on the same journal.
struct IndexPageWriter {
    /// How much is written and synchronized at once.
    static let pieceBytes = 1 << 20

    private let file: any File
    private var piece = [UInt8](repeating: 0, count: pieceBytes)
    /// The number of the page at the start of `piece`.
    private var firstPage = 1
    /// Where the page that is being filled begins in `piece`, and how much of it is.
    private var start = 0
    private var filled = 0

    init(_ file: any File) { self.file = file }

    /// Room for an item of so many bytes: its place in `bytes`. An item never lies on two pages.
    mutating func place(for count: Int) throws(SystemError) -> Int {
        if filled + count > IndexPage.contentBytes { try finishPage() }
        filled += count
        return start + filled - count
    }

    /// What follows begins on a page.
    mutating func finishSection() throws(SystemError) {
        if filled > 0 { try finishPage() }
    }

    /// Items are stored at the places that `place(for:)` gives.
    var bytes: [UInt8] {
        _read { yield piece }
        _modify { yield &piece }
    }

    private mutating func finishPage() throws(SystemError) {
        for index in filled..<IndexPage.contentBytes { piece[start + index] = 0 }
        IndexPage.seal(&piece, at: start, number: firstPage + start / IndexPage.bytes)
        start += IndexPage.bytes
        filled = 0
        if start == Self.pieceBytes { try flush() }
    }

    private mutating func flush() throws(SystemError) {
        guard start > 0 else { return }
        if start < piece.count { piece.removeSubrange(start...) }
        try file.writeWhole(piece, at: Int64(firstPage) * Int64(IndexPage.bytes))
        try file.synchronizeData()
        piece.append(contentsOf: repeatElement(0, count: Self.pieceBytes - piece.count))
        firstPage += start / IndexPage.bytes
        start = 0
    }

    /// Writes what is left, then `header`, a sealed page 0.
    mutating func finish(header: [UInt8]) throws(SystemError) {
        try flush()
        try file.writeWhole(header, at: 0)
        try file.synchronizeData()
    }
}
