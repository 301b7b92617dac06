// A log of several sealed segments, and what must be found in it, however its index files fare.
//
// Promises: the same records each time: five ids, each with the same payload once. What is expected was acknowledged.
// Must not know: what index files hold.

import Platform
import Testing

@testable import CallbackLog

struct SegmentedLog {
    static let identifiers = (0..<5).map { "id-\($0)" }
    /// About three records.
    static let segmentBytesMax: Int64 = 600

    /// As the log was stopped, or killed.
    let disk: MemoryDisk
    /// By id, newest first.
    let expected: [String: [SeenRecord]]
    let count: Int

    init(_ count: Int = 11, isClosed: Bool = true, hashMask: UInt64 = .max, change: @escaping (inout LogOptions) -> Void = { _ in }) throws {
        let open = try Self.open(MemoryDisk(), hashMask: hashMask, change: change)
        expected = try Self.fill(open, count)
        open.settleUpkeep()
        if isClosed { open.log.close() }
        self.count = count
        disk = open.disk.afterKill()
    }

    /// Appends so many records; returns them by id, newest first.
    static func fill(_ open: OpenLog, _ count: Int) throws -> [String: [SeenRecord]] {
        var stored: [String: [SeenRecord]] = [:]
        for number in 1...count {
            let identifier = identifiers[number % identifiers.count]
            let payload = "{\"n\":\(number)}"
            guard case .stored(let sequence, false) = try #require(open.append(identifier, payload)) else { continue }
            stored[identifier, default: []].insert(SeenRecord(sequence: sequence, payload: payload), at: 0)
        }
        return stored
    }

    /// Opens a log as a server does, upkeep and all.
    static func open(
        _ disk: MemoryDisk, hashMask: UInt64 = .max, clock: TurnedClock = TurnedClock(), change: @escaping (inout LogOptions) -> Void = { _ in }
    ) throws -> OpenLog {
        try OpenLog(disk, segmentBytesMax: segmentBytesMax, hashMask: hashMask, clock: clock) {
            $0.hasUpkeep = true
            change(&$0)
        }
    }

    /// What the log shows of an id. What stumbles over an index is asked once more when upkeep has been there.
    static func records(_ identifier: String, in open: OpenLog) throws -> [SeenRecord] {
        do throws(RecordReadFailure) {
            return try open.records(identifier)
        } catch {
            guard error == .indexing else { throw error }
        }
        open.settleUpkeep()
        return try open.records(identifier)
    }

    /// Every record is found, nothing else is, and what was sent again is a duplicate.
    func hold(_ open: OpenLog, _ what: String) throws {
        for (identifier, records) in expected { #expect(try Self.records(identifier, in: open) == records, "\(what): \(identifier)") }
        #expect(try Self.records("nobody", in: open) == [], "\(what)")
        for (identifier, records) in expected {
            for record in records { #expect(open.append(identifier, record.payload) == .duplicate(of: record.sequence), "\(what): \(record)") }
        }
    }
}

extension MemoryDisk {
    /// The segments, oldest first; the last one takes records.
    var segments: [String] { allFiles.keys.filter { SegmentName.firstSequence(of: $0) != nil }.sorted() }
    var sealed: [String] { segments.dropLast() }
    var indexes: [String] { allFiles.keys.filter { SegmentName.firstSequence(ofIndex: $0) != nil }.sorted() }
    /// How often so many of these files were read from.
    func reads(of names: [String]) -> Int { calls.count { $0.operation == .read && names.contains($0.name) } }

    /// Somebody changes what is in a file, underneath whoever has it open.
    func change(_ name: String, _ body: (inout [UInt8]) -> Void) throws {
        var bytes = try #require(allFiles[name])
        body(&bytes)
        let file = try openToWrite(name)
        try file.truncate(to: Int64(bytes.count))
        if !bytes.isEmpty { _ = try file.write(bytes, from: 0, at: 0) }
        try file.synchronizeData()
    }
}

extension OpenLog {
    /// Its first segment cannot be asked from now on: a record of it, `identifier`'s, is damaged, and no file can be opened to read it again.
    func loseSight(of identifier: String) throws {
        let segment = disk.segments[0]
        let bytes = try #require(disk.allFiles[segment])
        let line = try #require(bytes.split(separator: 0x0A, omittingEmptySubsequences: false).first { String(decoding: $0, as: UTF8.self).contains("\"\(identifier)\"") })
        try disk.change(segment) { $0[line.startIndex + 60] ^= 1 }
        disk.inject(Fault(.fails(24), on: [.open]))
        _ = try? records(identifier)
        settleUpkeep()
        #expect(throws: RecordReadFailure.indexing) { try records(identifier) }
    }
}

/// The name of the index of a segment.
func indexName(_ segment: String) -> String { SegmentName.index(first: SegmentName.firstSequence(of: segment) ?? 0) }
