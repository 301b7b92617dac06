// One record as an index file has it, and the tables of hashes that lead to it.
//
// Promises: what is read back lies within its segment, or is not read back: offset, length, sequence, kind and time
// are bounded first. Hashes are sorted with memory for each of them and little beside.
// Must not know: pages, files.

import Platform

/// One record of a sealed segment: where it is, and what the index tells of it unread.
package struct IndexedRecord: Equatable, Sendable {
    package let sequence: UInt64
    let receivedAt: Timestamp
    let kind: RecordKind
    /// What these two numbers mean is the decoder's and the verdict table's.
    let status: UInt8
    let failureClass: UInt8
    let payloadHash: UInt64
    /// Of the line's first byte in the segment.
    let offset: UInt32
    /// Of the line, without its line feed.
    let length: UInt32

    /// As the index of the open segment has it. The table of records has no request hashes.
    func entry(requestHash: UInt64) -> RecordEntry {
        RecordEntry(
            sequence: sequence, requestHash: requestHash, payloadHash: payloadHash, offset: offset, length: length, kind: kind, state: state)
    }

    var state: RecordState { RecordState(kind, status: status, failureClass: failureClass) }
}

extension IndexedRecord {
    /// The record at `start` of a page of the segment that `summary` tells of; nil for one that cannot be in it.
    init?(_ page: Span<UInt8>, at start: Int, in summary: SegmentSummary) {
        let offset = LittleEndian.load32(page, at: start)
        let length = LittleEndian.load32(page, at: start + 4)
        let sequence = summary.first + UInt64(LittleEndian.load32(page, at: start + 8))
        let numbers = LittleEndian.load32(page, at: start + 12)
        guard length > 0, length <= UInt32(RecordFormat.lineBytesMax), Int64(offset) + Int64(length) < summary.segmentBytes,
            sequence < summary.successor, let kind = RecordKind(rawValue: UInt8(truncatingIfNeeded: numbers)), kind != .checkpoint,
            let receivedAt = Timestamp(stored: LittleEndian.load64(page, at: start + 16))
        else { return nil }
        self.sequence = sequence
        self.receivedAt = receivedAt
        self.kind = kind
        status = UInt8(truncatingIfNeeded: numbers >> 8)
        failureClass = UInt8(truncatingIfNeeded: numbers >> 16)
        payloadHash = LittleEndian.load64(page, at: start + 24)
        self.offset = offset
        self.length = length
    }

    /// Stores it at `start`, in the segment that begins with `first`.
    func store(in page: inout [UInt8], at start: Int, first: UInt64) {
        LittleEndian.store(offset, in: &page, at: start)
        LittleEndian.store(length, in: &page, at: start + 4)
        LittleEndian.store(UInt32(sequence - first), in: &page, at: start + 8)
        LittleEndian.store(UInt32(kind.rawValue) | UInt32(status) << 8 | UInt32(failureClass) << 16, in: &page, at: start + 12)
        LittleEndian.store(UInt64(bitPattern: receivedAt.milliseconds), in: &page, at: start + 16)
        LittleEndian.store(payloadHash, in: &page, at: start + 24)
    }
}

/// A hash and the record that has it. In thirds of four bytes: 12 in memory too, not 16.
struct HashPlace: Comparable {
    private let high, low: UInt32
    let ordinal: UInt32

    init(hash: UInt64, ordinal: UInt32) {
        high = UInt32(truncatingIfNeeded: hash >> 32)
        low = UInt32(truncatingIfNeeded: hash)
        self.ordinal = ordinal
    }

    var hash: UInt64 { UInt64(high) << 32 | UInt64(low) }

    /// By hash; equal hashes by ordinal.
    static func < (a: HashPlace, b: HashPlace) -> Bool { a.hash != b.hash ? a.hash < b.hash : a.ordinal < b.ordinal }
}

/// The places of one table until they are written: apart by the highest bits of the hash, so that each part is small
/// enough to sort within a processor's cache.
struct HashPlaces {
    private static let partCount = 256
    private var parts = [PiecewiseArray<HashPlace, 256>](repeating: PiecewiseArray(), count: partCount)
    private(set) var count = 0

    mutating func append(_ hash: UInt64, _ ordinal: UInt32) {
        parts[Int(truncatingIfNeeded: hash >> 56)].append(HashPlace(hash: hash, ordinal: ordinal))
        count += 1
    }

    /// Takes the places out, sorted.
    mutating func drain(_ body: (HashPlace) throws(SystemError) -> Void) throws(SystemError) {
        for index in parts.indices {
            var part = parts[index].takeAll()
            part.sort()
            for place in part { try body(place) }
        }
        count = 0
    }
}
