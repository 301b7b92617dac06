// A segment that takes no more records, as readers see it.
//
// Promises: a value of constants; a better index makes a new one in its place. It holds no descriptor.
// Must not know: who makes index files (Upkeep.swift).

import Platform

final class SealedSegment: Sendable {
    enum Index: Sendable {
        /// Until its file is written: it was the open one, or was read at the start.
        case inMemory(SegmentIndex)
        case onDisk(IndexFile)
        /// Nobody knows what is in it until it has been read.
        case missing
    }

    let first: UInt64
    /// Where the next segment begins.
    let successor: UInt64
    /// Its size as it was sealed, in bytes.
    let byteCount: Int64
    /// When its newest record was received; nil where that is not known yet, or where no record can be read.
    let latest: Timestamp?
    let index: Index
    /// At most `ScanState.damagesMax`; `damageCount` counts them all.
    let damages: [UnsoundPlace]
    let damageCount: Int

    init(
        first: UInt64, successor: UInt64, byteCount: Int64, latest: Timestamp?, index: Index, damages: [UnsoundPlace] = [],
        damageCount: Int = 0
    ) {
        self.first = first
        self.successor = successor
        self.byteCount = byteCount
        self.latest = latest
        self.index = index
        self.damages = damages
        self.damageCount = damageCount
    }

    /// With the index that was read from its file.
    convenience init(_ file: IndexFile, byteCount: Int64) {
        let summary = file.summary
        self.init(
            first: summary.first, successor: summary.successor, byteCount: byteCount, latest: summary.recordCount > 0 ? summary.latest : nil,
            index: .onDisk(file), damages: summary.damages, damageCount: summary.damageCount)
    }

    var name: String { SegmentName.name(first: first) }

    /// Those that its records have, or could have.
    var sequences: Range<UInt64> { first..<max(first, successor) }

    /// Nil where that is not known yet.
    var recordCount: Int? {
        switch index {
        case .inMemory(let index): index.count
        case .onDisk(let file): file.summary.recordCount
        case .missing: nil
        }
    }

    /// Of its index file, in bytes.
    var indexBytes: Int64 { if case .onDisk(let file) = index { Int64(file.sections.pageCount) * Int64(IndexPage.bytes) } else { 0 } }

    /// Bytes in memory of its filter.
    var filterBytes: Int { if case .onDisk(let file) = index { file.filter?.byteCount ?? 0 } else { 0 } }

    /// Without its filter in memory: look-ups read a page of the file instead.
    var withoutFilter: SealedSegment {
        guard case .onDisk(let file) = index, file.filter != nil else { return self }
        return SealedSegment(file.withoutFilter(), byteCount: byteCount)
    }

    /// While its file may not be opened: all of it counts as damaged, and what is not in it its index still knows.
    var unreadable: SealedSegment { lost(index) }

    /// Once its file is gone: nothing is in it any more.
    var gone: SealedSegment { lost(.inMemory(SegmentIndex(first: first))) }

    private func lost(_ index: Index) -> SealedSegment {
        SealedSegment(
            first: first, successor: successor, byteCount: byteCount, latest: latest, index: index,
            damages: [UnsoundPlace(segment: name, offset: 0, sequence: first)], damageCount: 1)
    }

    /// Without the index that is in memory.
    var withoutIndex: SealedSegment {
        SealedSegment(
            first: first, successor: successor, byteCount: byteCount, latest: latest, index: .missing, damages: damages,
            damageCount: damageCount)
    }
}
