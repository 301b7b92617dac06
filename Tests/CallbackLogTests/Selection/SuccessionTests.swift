// Going through the log from one sequence to the next one there is.

import Platform
import Testing

@testable import CallbackLog

@Suite("From a sequence to the next record there is")
struct SuccessionTests {
    /// Every sequence that following the log shows, from `start` on.
    private func followed(_ open: OpenLog, from start: UInt64 = 0) throws(RecordReadFailure) -> [UInt64] {
        var reader = RecordReader()
        var sequences: [UInt64] = []
        var next = start
        while let location = try open.log.record(atOrAfter: next, using: &reader) {
            let record = try open.log.read(location, using: &reader)
            #expect(record.sequence == location.sequence)
            sequences.append(location.sequence)
            next = location.sequence + 1
        }
        return sequences
    }

    @Test("every record comes once, in order, over sealed segments and the open one, with and without index files", arguments: [true, false])
    func whole(hasFiles: Bool) throws {
        let log = try SegmentedLog { $0.hasUpkeep = hasFiles }
        let open = try SegmentedLog.open(log.disk.afterKill()) { $0.hasUpkeep = hasFiles }
        open.settleUpkeep()
        #expect(open.disk.sealed.count >= 3)
        #expect(open.log.firstSequence == 1)
        #expect(try followed(open) == (1...UInt64(log.count)).map(\.self))
        #expect(try followed(open, from: 7) == (7...UInt64(log.count)).map(\.self))
        #expect(try followed(open, from: UInt64(log.count) + 1) == [])
        #expect(try followed(open, from: .max) == [])
    }

    @Test("a record comes with the request_id that it was appended with, escapes and all")
    func identifiers() throws {
        let open = try OpenLog(MemoryDisk())
        let names = ["a", "d\"\\", "\\\\", "~!"]
        for name in names { _ = open.append(name, "{\"n\":\"\(name.count)\"}") }
        var reader = RecordReader()
        for (index, name) in names.enumerated() {
            let location = try #require(try open.log.record(atOrAfter: UInt64(index + 1), using: &reader))
            let record = try open.log.read(location, using: &reader)
            var identifier: [UInt8] = []
            record.appendRequestID(of: reader.bytes.span, to: &identifier)
            #expect(String(decoding: identifier, as: UTF8.self) == name)
        }
    }

    @Test("what damage took is passed over, and nothing else is")
    func damaged() throws {
        let log = try SegmentedLog()
        let disk = log.disk.afterKill()
        let segment = disk.sealed[1]
        let first = try #require(SegmentName.firstSequence(of: segment))
        try disk.change(segment) { $0[20] ^= 1 }
        try disk.remove(indexName(segment))
        let open = try SegmentedLog.open(disk)
        open.settleUpkeep()
        #expect(try followed(open) == (1...UInt64(log.count)).filter { $0 != first })
        #expect(try followed(open, from: first).first == first + 1)
    }

    @Test("a segment that is not indexed yet is not passed over")
    func unindexed() throws {
        let log = try SegmentedLog()
        let disk = log.disk.afterKill()
        for name in disk.indexes { try disk.remove(name) }
        let open = try SegmentedLog.open(disk) {
            $0.hasUpkeep = false
            $0.historyScanBytesMax = 0
        }
        #expect(throws: RecordReadFailure.indexing) { try followed(open) }
        let newest = try #require(SegmentName.firstSequence(of: open.disk.segments.last ?? ""))
        #expect(try followed(open, from: newest) == (newest...UInt64(log.count)).map(\.self))
    }

    @Test("what retention took is passed over, and the first sequence there is says so")
    func retired() throws {
        let log = try SegmentedLog()
        let open = try SegmentedLog.open(log.disk.afterKill()) { $0.retentionBytesMax = 4_096 * 8 }
        open.settleUpkeep()
        let first = open.log.firstSequence
        #expect(first > 1)
        #expect(try followed(open) == (first...UInt64(log.count)).map(\.self))
    }
}
