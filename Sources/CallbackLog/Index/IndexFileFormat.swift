// The index file of a sealed segment: its bytes. Derived from the segment, and built again on any fault (invariant 6).
//
// Little-endian, in pages of 4,096 bytes. The last four of each page are the CRC-32C of its place (8 bytes, counted in
// pages), of the index's number (8 bytes; 0 in page 0) and of the 4,092 bytes before them, so that a page in another
// place or of another index is no page. Page 0 is the header. The sections follow, each beginning on a page; what is
// behind the last item of a page is zero.
//
//     section     item bytes   a page   what                                                        how many
//     records             32      127   the records in the segment's order                          one a record
//     requests            12      341   hash (8), ordinal (4), ascending, of the request_ids        one a record
//     keys                12      341   the same of the keys that a record can be found by beside   0…4 a record
//     states               1    4,092   the records' states (RecordState.swift), in their order     one a record
//     filter              64       63   blocks of a Bloom filter over the request hashes            12 bits a record
//     damages             16      255   offset (8), sequence (8) of the damaged places              at most 1,000
//
//     a record, at byte        0 offset of its line (4)        12 kind (1), status (1), failure class (1), zero (1)
//                              4 length without feed (4)       16 received_at, ms since 1970 (8)
//                              8 sequence above first (4)      24 hash of the payload (8)
//
//     the header, at byte      0 "clogindx"                    56 records (8)              104 earliest received_at (8)
//                              8 format version (4)            64 keys (8)                 112 latest received_at (8)
//                             12 decoder version (4)           72 damaged places (8)       120 records by kind (16 × 4)
//                             16 verdict table version (4)     80 of these listed (8)      184 records by status (16 × 4)
//                             20 zero (4)                      88 last sequence (8)        248 … by failure class (16 × 4)
//                             24 check of the hash's key (8)   96 proven durable (8)       312 the index's number, drawn (8)
//                             32 first sequence (8)
//                             40 successor's first (8)
//                             48 the segment's bytes (8)
//
// Valid is a page whose checksum holds. The file's size follows from the counts in the header; every number in it is
// bounded by the segment it claims to be of, before it is used. Must not know: how it is written, who asks.

import Platform

enum IndexFileFormat {
    /// "clogindx"
    static let magic: UInt64 = 0x7864_6E69_676F_6C63
    static let version: UInt32 = 2

    static let recordBytes = 32
    static let recordsPerPage = IndexPage.contentBytes / recordBytes
    static let hashBytes = 12
    static let hashesPerPage = IndexPage.contentBytes / hashBytes
    static let blockBytes = 64
    static let blocksPerPage = IndexPage.contentBytes / blockBytes
    static let damageBytes = 16
    static let damagesPerPage = IndexPage.contentBytes / damageBytes
    static let statesPerPage = IndexPage.contentBytes

    /// A record can be found by reference, session_id, whatsapp_message_id and fingerprint.
    static let keysPerRecordMax = 4
    /// No line of a record is as short as this, so a segment bounds its records.
    static let recordLineBytesMin: Int64 = 100
    /// Damaged places that are listed; all are counted.
    static let damagesMax = ScanState.damagesMax
}

/// Where the sections of a file are, in pages. Follows from the counts alone.
struct IndexSections: Equatable, Sendable {
    let records, requests, keys, states, filter, damages: Range<Int>

    /// The counts are bounded before: none is above 2^34.
    init(records recordCount: Int, keys keyCount: Int, damages damageCount: Int) {
        func section(after start: Int, _ count: Int, perPage: Int) -> Range<Int> { start..<(start + (count + perPage - 1) / perPage) }
        records = section(after: 1, recordCount, perPage: IndexFileFormat.recordsPerPage)
        requests = section(after: records.upperBound, recordCount, perPage: IndexFileFormat.hashesPerPage)
        keys = section(after: requests.upperBound, keyCount, perPage: IndexFileFormat.hashesPerPage)
        states = section(after: keys.upperBound, recordCount, perPage: IndexFileFormat.statesPerPage)
        filter = section(
            after: states.upperBound, RequestFilter.blockCount(records: recordCount), perPage: IndexFileFormat.blocksPerPage)
        damages = section(after: filter.upperBound, damageCount, perPage: IndexFileFormat.damagesPerPage)
    }

    var pageCount: Int { damages.upperBound }
}

/// Why an index file cannot be used. All but `system` mean that it is built again.
package enum IndexFault: Error, Equatable, CustomStringConvertible {
    case system(SystemError)
    /// It does not begin as one.
    case notAnIndex
    /// Of another format, decoder or verdict table.
    case anotherVersion
    /// Of another segment, of this one as it was, or with hashes of another key.
    case stale
    /// This page is not as it was written; 0 is the header. Or the file ends there, or goes on.
    case damaged(page: Int)

    package var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .notAnIndex: "is not an index"
        case .anotherVersion: "was written by another version"
        case .stale: "does not belong to its segment"
        case .damaged(let page): "is damaged in page \(page)"
        }
    }
}
