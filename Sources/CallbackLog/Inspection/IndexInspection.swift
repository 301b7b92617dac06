// The index files beside the segments, held against themselves and against the segment's own lines.
//
//     found                                       said
//     a page that is not as it was written        damaged, with its offset
//     other records than the segment has          damaged, as a whole
//     of the segment as it was, of another one    stale: no fault of the disk; the server makes it anew
//     none                                        missing: likewise
//
// Promises: nothing depends on an index file (invariant 6): each of these is mended by deleting it. Memory is what
// IndexFile.verify takes: the filter and a byte for each record of one segment.
// Must not know: decoder and verdict table: an index is sound by whichever it was made.

import Platform

/// What is wrong with an index file.
public struct IndexFinding: Sendable, Equatable {
    /// Why it cannot be used.
    public enum Fault: Sendable, Equatable {
        /// At this offset, or as a whole.
        case damaged(offset: Int64?)
        case stale, missing
        case unreadable(SystemError)
    }
    /// Of the file.
    public let name: String
    /// What is wrong with it.
    public let fault: Fault

    /// True where the disk, or someone on it, did this.
    public var isDamage: Bool {
        switch fault {
        case .damaged, .unreadable: true
        case .stale, .missing: false
        }
    }
}

/// Follows a scan, one sealed segment after the other.
public struct IndexInspection {
    /// Of decoder and verdict table in the header; see IndexFileFormat.swift.
    private static let versionsOffset: Int64 = 12

    private let log: LogInspection
    /// Nil where the log has no identity: then no index file is of use to it.
    private let hash: KeyedHash?
    private var pages = IndexPageBuffer()
    /// Of the records of the segment so far, in order.
    private var digest = RecordDigest()

    /// Of the index files of `log`, none of them looked at yet.
    public init(_ log: LogInspection) {
        self.log = log
        hash = (try? Identity(in: log.directory)).map { KeyedHash(key: $0.hashKey) }
    }

    /// Takes note of a record of the segment that is being scanned.
    public mutating func note(_ record: InspectedRecord, _ bytes: Span<UInt8>) {
        guard let hash else { return }
        digest.add(
            record.sequence, record.receivedAt, record.kind, hash.hash(bytes.extracting(record.payload)), offset: UInt64(record.offset),
            length: UInt64(bytes.count))
    }

    /// What is wrong with the index of `segment`, all of whose records were noted; nil where nothing is.
    /// - Parameter isDamaged: the segment itself is: then its index may still have what was lost since.
    public mutating func finding(on segment: LogInspection.Segment, isDamaged: Bool) -> IndexFinding? {
        let noted = digest
        digest = RecordDigest()
        guard let successor = segment.successor else { return nil }
        let name = SegmentName.index(first: segment.first)
        do throws(IndexFault) {
            guard let file = try open(name) else { return IndexFinding(name: name, fault: .missing) }
            guard let hash else { throw .stale }
            let index = try IndexFile(
                file, first: segment.first, successor: successor, segmentBytes: try byteCount(segment), versions: try versions(file),
                hash: hash, keepsFilter: false)
            try index.verify(in: file, using: &pages)
            var recorded = RecordDigest()
            try index.forEachRecord(in: file, using: &pages) { record throws(IndexFault) in
                recorded.add(
                    record.sequence, record.receivedAt, record.kind, record.payloadHash, offset: UInt64(record.offset),
                    length: UInt64(record.length))
            }
            let isOtherwise = recorded != noted && !isDamaged
            return isOtherwise ? IndexFinding(name: name, fault: .damaged(offset: nil)) : nil
        } catch {
            return IndexFinding(name: name, fault: Self.fault(error))
        }
    }

    private static func fault(_ fault: IndexFault) -> IndexFinding.Fault {
        switch fault {
        case .damaged(let page): .damaged(offset: Int64(page) * Int64(IndexPage.bytes))
        case .notAnIndex: .damaged(offset: 0)
        case .anotherVersion, .stale: .stale
        case .system(let error): .unreadable(error)
        }
    }

    /// Nil where it is gone.
    private func open(_ name: String) throws(IndexFault) -> (any File)? {
        do throws(SystemError) {
            return try LogInspection.open(name, in: log.directory)
        } catch {
            throw .system(error)
        }
    }

    /// As it is now: padding is cut off when a segment is sealed, perhaps since it was looked at.
    private func byteCount(_ segment: LogInspection.Segment) throws(IndexFault) -> Int64 {
        do throws(SystemError) {
            return try LogInspection.open(segment.name, in: log.directory)?.size() ?? segment.bytes
        } catch {
            throw .system(error)
        }
    }

    /// Those that it says it was made by.
    private func versions(_ file: any File) throws(IndexFault) -> DerivedVersions {
        var bytes = [UInt8](repeating: 0, count: 8)
        do throws(SystemError) {
            _ = try file.read(at: Self.versionsOffset, count: bytes.count, into: &bytes, from: 0)
        } catch {
            throw .system(error)
        }
        return DerivedVersions(decoder: LittleEndian.load32(bytes.span, at: 0), verdicts: LittleEndian.load32(bytes.span, at: 4))
    }
}

/// Tells one list of records from another. No secret, no adversary: whoever can write index files needs no collision.
private struct RecordDigest: Equatable {
    private var count: UInt64 = 0
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ sequence: UInt64, _ receivedAt: Timestamp, _ kind: RecordKind, _ payloadHash: UInt64, offset: UInt64, length: UInt64) {
        count += 1
        for word in [sequence, UInt64(bitPattern: receivedAt.milliseconds), UInt64(kind.rawValue), payloadHash, offset, length] {
            state = (state ^ word) &* 0x9E37_79B9_7F4A_7C15
            state ^= state >> 32
        }
    }
}
