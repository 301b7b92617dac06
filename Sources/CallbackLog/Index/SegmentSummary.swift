// What an index file says of its segment as a whole: its header, and the damaged places.
//
// Promises: a header is taken only where it is of the segment that was asked for, and where every count is one that
// this segment can have, so that memory and file follow from the segment and not from what a page claims.
// Must not know: the sections behind the header.

import Platform

/// How many records of a segment have which kind, status and failure class.
struct RecordCounts: Equatable, Sendable {
    /// The last one counts that number and all above.
    static let slots = 16
    private(set) var kinds = [UInt32](repeating: 0, count: slots)
    private(set) var statuses = [UInt32](repeating: 0, count: slots)
    private(set) var failureClasses = [UInt32](repeating: 0, count: slots)

    init() {}

    mutating func add(kind: RecordKind, status: UInt8, failureClass: UInt8) {
        kinds[Self.slot(kind.rawValue)] += 1
        statuses[Self.slot(status)] += 1
        failureClasses[Self.slot(failureClass)] += 1
    }

    /// Where records of this number are counted.
    static func slot(_ number: UInt8) -> Int { min(Int(number), slots - 1) }

    fileprivate init?(_ page: Span<UInt8>, recordCount: Int) {
        for index in 0..<Self.slots {
            kinds[index] = LittleEndian.load32(page, at: Header.kinds + 4 * index)
            statuses[index] = LittleEndian.load32(page, at: Header.statuses + 4 * index)
            failureClasses[index] = LittleEndian.load32(page, at: Header.failureClasses + 4 * index)
        }
        for counts in [kinds, statuses, failureClasses] where counts.reduce(0, { $0 + Int($1) }) != recordCount { return nil }
    }

    fileprivate func store(in page: inout [UInt8]) {
        for index in 0..<Self.slots {
            LittleEndian.store(kinds[index], in: &page, at: Header.kinds + 4 * index)
            LittleEndian.store(statuses[index], in: &page, at: Header.statuses + 4 * index)
            LittleEndian.store(failureClasses[index], in: &page, at: Header.failureClasses + 4 * index)
        }
    }
}

package struct SegmentSummary: Equatable, Sendable {
    /// The segment's first sequence, and the one that the next segment begins with.
    let first, successor: UInt64
    let segmentBytes: Int64
    package internal(set) var recordCount = 0
    /// Hashes of keys beside the request_id, of all records.
    var keyCount = 0
    /// The highest sequence that is, or should be, in the segment.
    var last: UInt64
    /// The highest durable position that a line in it proves.
    var durable: UInt64 = 0
    /// Of its records; 1970 where there are none.
    var earliest = Timestamp(milliseconds: 0)
    var latest = Timestamp(milliseconds: 0)
    var counts = RecordCounts()
    /// The first 1,000 damaged places in it, in its order.
    package internal(set) var damages: [UnsoundPlace] = []
    /// Of all.
    package internal(set) var damageCount = 0

    /// Drawn for each index file: tells its pages from any other's.
    var number: UInt64 = 0

    init(first: UInt64, successor: UInt64, segmentBytes: Int64) {
        self.first = first
        self.successor = successor
        self.segmentBytes = segmentBytes
        last = first - 1
    }

    /// True where no sequence of the segment is missing: then a record's place tells its sequence.
    var isDense: Bool { UInt64(recordCount) == successor - first }

    var sections: IndexSections { IndexSections(records: recordCount, keys: keyCount, damages: damages.count) }
}

/// Where things are in page 0. See IndexFileFormat.swift.
private enum Header {
    static let magic = 0
    static let format = 8
    static let decoder = 12
    static let verdicts = 16
    static let hashCheck = 24
    static let first = 32
    static let successor = 40
    static let segmentBytes = 48
    static let recordCount = 56
    static let keyCount = 64
    static let damageCount = 72
    static let damagesListed = 80
    static let last = 88
    static let durable = 96
    static let earliest = 104
    static let latest = 112
    static let kinds = 120
    static let statuses = 184
    static let failureClasses = 248
    static let number = 312
}

extension SegmentSummary {
    /// True where a file begins as an index does, whole or not.
    static func isIndex(_ page: Span<UInt8>) -> Bool { page.count >= 8 && LittleEndian.load64(page, at: Header.magic) == IndexFileFormat.magic }

    /// Reads page 0, sound and of an index, of the segment that `self` names, all but the damaged places. Returns how
    /// many of these are listed.
    mutating func read(_ page: Span<UInt8>, versions: DerivedVersions, hash: KeyedHash) throws(IndexFault) -> Int {
        func number(_ offset: Int) -> UInt64 { LittleEndian.load64(page, at: offset) }
        guard LittleEndian.load32(page, at: Header.format) == IndexFileFormat.version,
            LittleEndian.load32(page, at: Header.decoder) == versions.decoder,
            LittleEndian.load32(page, at: Header.verdicts) == versions.verdicts
        else { throw .anotherVersion }
        guard number(Header.hashCheck) == hash.check, number(Header.first) == first, number(Header.successor) == successor,
            number(Header.segmentBytes) == UInt64(bitPattern: segmentBytes)
        else { throw .stale }

        let recordsMax = UInt64(max(0, segmentBytes / IndexFileFormat.recordLineBytesMin))
        let records = number(Header.recordCount)
        guard records <= recordsMax, records <= UInt64(UInt32.max),
            number(Header.keyCount) <= records * UInt64(IndexFileFormat.keysPerRecordMax)
        else { throw .damaged(page: 0) }
        let listed = number(Header.damagesListed)
        guard listed <= UInt64(IndexFileFormat.damagesMax), listed <= number(Header.damageCount),
            number(Header.damageCount) <= UInt64(Int.max), number(Header.last) <= RecordFormat.sequenceMax,
            number(Header.durable) <= RecordFormat.sequenceMax,
            let earliest = Timestamp(stored: number(Header.earliest)), let latest = Timestamp(stored: number(Header.latest)),
            let counts = RecordCounts(page, recordCount: Int(records))
        else { throw .damaged(page: 0) }
        recordCount = Int(records)
        keyCount = Int(number(Header.keyCount))
        damageCount = Int(number(Header.damageCount))
        last = number(Header.last)
        durable = number(Header.durable)
        self.number = number(Header.number)
        self.earliest = earliest
        self.latest = latest
        self.counts = counts
        return Int(listed)
    }

    /// Page 0, sealed.
    func page(versions: DerivedVersions, hash: KeyedHash) -> [UInt8] {
        var page = [UInt8](repeating: 0, count: IndexPage.bytes)
        LittleEndian.store(IndexFileFormat.magic, in: &page, at: Header.magic)
        LittleEndian.store(IndexFileFormat.version, in: &page, at: Header.format)
        LittleEndian.store(versions.decoder, in: &page, at: Header.decoder)
        LittleEndian.store(versions.verdicts, in: &page, at: Header.verdicts)
        LittleEndian.store(hash.check, in: &page, at: Header.hashCheck)
        LittleEndian.store(first, in: &page, at: Header.first)
        LittleEndian.store(successor, in: &page, at: Header.successor)
        LittleEndian.store(UInt64(bitPattern: segmentBytes), in: &page, at: Header.segmentBytes)
        LittleEndian.store(UInt64(recordCount), in: &page, at: Header.recordCount)
        LittleEndian.store(UInt64(keyCount), in: &page, at: Header.keyCount)
        LittleEndian.store(UInt64(damageCount), in: &page, at: Header.damageCount)
        LittleEndian.store(UInt64(damages.count), in: &page, at: Header.damagesListed)
        LittleEndian.store(number, in: &page, at: Header.number)
        LittleEndian.store(last, in: &page, at: Header.last)
        LittleEndian.store(durable, in: &page, at: Header.durable)
        LittleEndian.store(UInt64(bitPattern: earliest.milliseconds), in: &page, at: Header.earliest)
        LittleEndian.store(UInt64(bitPattern: latest.milliseconds), in: &page, at: Header.latest)
        counts.store(in: &page)
        IndexPage.seal(&page, at: 0, page: 0, ofIndex: IndexPage.header)
        return page
    }
}

extension UnsoundPlace {
    /// The damaged place at `offset` of a page, in the segment of `summary`; nil for one that cannot be there.
    init?(_ page: Span<UInt8>, at offset: Int, in summary: SegmentSummary, segment: String) {
        let place = LittleEndian.load64(page, at: offset)
        let sequence = LittleEndian.load64(page, at: offset + 8)
        guard place <= UInt64(max(0, summary.segmentBytes)), sequence <= RecordFormat.sequenceMax else { return nil }
        self.init(segment: segment, offset: Int64(place), sequence: sequence)
    }
}

extension Timestamp {
    /// Nil for what no `Timestamp` stores.
    init?(stored bits: UInt64) {
        self.init(milliseconds: Int64(bitPattern: bits))
        guard UInt64(bitPattern: milliseconds) == bits else { return nil }
    }
}
