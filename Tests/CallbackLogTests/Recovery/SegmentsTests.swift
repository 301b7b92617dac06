// Recovery of a log of several segments: what lies between them, what lies beside them, and names that mean
// nothing.
//
// Promises: one case for each neighbour that a segment can have. Must not know: what happens within a segment
// (DamageTests) or to the newest batch (CopyTests).

import Platform
import Testing

@testable import CallbackLog

@Suite struct SegmentsTests {
    /// Records 1 to 12 in segments of three, proven to the end.
    private func sample() throws -> [String: [UInt8]] {
        let open = try OpenLog(MemoryDisk(), segmentBytesMax: 600)
        for number in 1...12 { #expect(open.append("id-\(number % 5)", "{\"n\":\(number)}") == .fresh(UInt64(number))) }
        open.log.close()
        #expect(open.disk.files.keys.sorted() == [1, 4, 7, 10].map { segmentName($0) })
        return open.disk.files
    }

    private func served(_ open: OpenLog) throws -> [UInt64] {
        try (0..<5).flatMap { number in try open.records("id-\(number)").map(\.sequence) }.sorted()
    }

    @Test("segments are one log, and opening it changes nothing")
    func whole() throws {
        let files = try sample()
        let open = try OpenLog(MemoryDisk(files))
        #expect(try served(open) == Array(1...12))
        #expect(try open.records("id-2").map(\.payload) == ["{\"n\":12}", "{\"n\":7}", "{\"n\":2}"])
        #expect(open.log.report.segments == 4)
        #expect(open.log.report.records == 12)
        #expect(open.log.report.damageCount == 0)
        #expect(open.disk.files == files)
    }

    @Test("a segment ends where its successor begins, whatever stands there")
    func overlap() throws {
        let files = try sample()
        for stray in [files[segmentName(4)], files[segmentName(10)], Array("garbage\n".utf8), Array("{\"sequence\":4".utf8)] {
            var disk = files
            disk[segmentName(1)]?.append(contentsOf: try #require(stray))
            let open = try OpenLog(MemoryDisk(disk))
            #expect(try served(open) == Array(1...12))
            #expect(open.log.report.damageCount == 0)
            #expect(open.log.report.tear == nil)
            #expect(open.disk.files == disk)
        }
    }

    @Test("a NUL before the line feed of a segment's last line is no padding behind it: the line stays whole")
    func nulBeforeLineFeed() throws {
        var files = try sample()
        files[segmentName(10)] = try #require(files[segmentName(10)]).dropLast() + [0, 0x0A]
        files[segmentName(13)] = []
        for _ in 0..<2 {
            let open = try OpenLog(MemoryDisk(files))
            #expect(try served(open) == Array(1...12))
            #expect(open.log.report.damageCount == 0 && open.log.report.copied == 0)
            files = open.disk.files
        }
    }

    @Test("a missing segment in the middle is damage at the end of the one before it")
    func missing() throws {
        var files = try sample()
        files[segmentName(4)] = nil
        let open = try OpenLog(MemoryDisk(files))
        #expect(try served(open) == [1, 2, 3] + Array(7...12))
        let end = try #require(files[segmentName(1)]).count
        #expect(open.log.report.damages == [UnsoundPlace(segment: segmentName(1), offset: Int64(end), sequence: 4)])
        #expect(open.append("id-1", "{\"n\":4}") == .fresh(13), "lost, so not a duplicate")
        #expect(open.disk.files.count == 3, "the newest segment is sound and goes on")
    }

    @Test("a log whose oldest segments went by retention begins where the first name says")
    func retained() throws {
        var files = try sample()
        files[segmentName(1)] = nil
        files[segmentName(4)] = nil
        let open = try OpenLog(MemoryDisk(files))
        #expect(open.log.report.damageCount == 0)
        #expect(try served(open) == Array(7...12))
        #expect(open.append("x") == .fresh(13))
    }

    @Test("a segment of garbage in the middle is damage; the others are served")
    func garbageMiddle() throws {
        var files = try sample()
        files[segmentName(7)] = Array("no record\nnor this".utf8)
        let open = try OpenLog(MemoryDisk(files))
        #expect(open.log.report.damages == [UnsoundPlace(segment: segmentName(7), offset: 0, sequence: 7)])
        #expect(try served(open) == Array(1...6) + [10, 11, 12])
        #expect(open.append("x") == .fresh(13))
    }

    @Test("a bad block in an old segment is damage and stops no start; in the newest one the start fails and changes nothing")
    func unreadable() throws {
        let files = try sample()
        // One read a segment, the newest first.
        for segment in 0..<4 {
            let disk = MemoryDisk(files)
            disk.inject(Fault(.fails(SystemError.inputOutput), on: [.read], after: 3 - segment, times: 1))
            guard segment < 3 else {
                #expect(throws: LogOpenFailure.self) { try Recovery(disk) }
                #expect(disk.files == files)
                continue
            }
            let first = UInt64(segment * 3 + 1)
            let open = try OpenLog(disk)
            #expect(open.log.report.damages == [UnsoundPlace(segment: segmentName(Int(first)), offset: 0, sequence: first)])
            #expect(try served(open) == (1...12).filter { $0 < first || $0 > first + 2 })
            #expect(open.append("x") == .fresh(13))
            let again = try OpenLog(open.disk.afterKill())
            #expect(try served(again) == Array(1...12), "nothing was done to it")
        }
    }

    @Test("a newest segment of garbage is a tear: kept, cut, and its sequences are given anew")
    func garbageNewest() throws {
        var files = try sample()
        files[segmentName(10)] = Array("no record\nnor this".utf8)
        let open = try OpenLog(MemoryDisk(files))
        #expect(open.log.report.tear?.place == UnsoundPlace(segment: segmentName(10), offset: 0, sequence: 10))
        #expect(open.log.report.tear?.bytes == 18)
        #expect(open.log.report.tear?.keptIn == segmentName(10, ".torn"))
        #expect(open.disk[segmentName(10, ".torn")] == files[segmentName(10)])
        #expect(try served(open) == Array(1...9))
        #expect(open.append("id-0", "{\"n\":10}") == .fresh(10))
    }

    @Test("what follows a tear in later segments is cut and kept with it")
    func tearBeforeGarbage() throws {
        var files = try sample()
        files[segmentName(7)] = Array("no record\n".utf8)
        files[segmentName(10)] = Array("nor this".utf8)
        let open = try OpenLog(MemoryDisk(files))
        #expect(open.log.report.tear?.place == UnsoundPlace(segment: segmentName(7), offset: 0, sequence: 7))
        #expect(open.disk[segmentName(7, ".torn")] == files[segmentName(7)])
        #expect(open.disk[segmentName(10, ".torn")] == files[segmentName(10)])
        #expect(open.disk[segmentName(10)] == nil)
        #expect(open.append("x") == .fresh(7))
    }

    @Test("a second tear is kept behind the first")
    func tearTwice() throws {
        let whole = try #require(try sample()[segmentName(1)])
        let disk = MemoryDisk([segmentName(1): whole + Array("again".utf8), segmentName(1, ".torn"): Array("once".utf8)])
        _ = try OpenLog(disk)
        #expect(disk[segmentName(1, ".torn")] == Array("once\nagain".utf8))
    }

    @Test("damage in the newest segment closes it: a fresh one begins, once")
    func damagedNewest() throws {
        var files = try sample()
        files[segmentName(10)]?[5] ^= 1
        var disk = MemoryDisk(files)
        for _ in 0..<3 {
            let open = try OpenLog(disk)
            #expect(open.log.report.damages == [UnsoundPlace(segment: segmentName(10), offset: 0, sequence: 10)])
            #expect(try served(open) == Array(1...9) + [11, 12])
            disk = open.disk.afterPowerLoss()
            #expect(disk.files.keys.sorted() == files.keys.sorted() + [segmentName(13)])
            #expect(disk[segmentName(13)] == [])
            #expect(disk[segmentName(10)] == files[segmentName(10)])
        }
        #expect(try OpenLog(disk).append("x") == .fresh(13))
    }

    @Test("damage in the newest segment closes it however much damage stands before it")
    func damagedNewestAmongMany() throws {
        let damaged = (ScanState.damagesMax + 5) * 2
        var first: [UInt8] = []
        for sequence in 1...damaged {
            first += sequence.isMultiple(of: 2) ? line(sequence, durable: sequence - 1) : Array("?\n".utf8)
        }
        let checkpoint = referenceLine("{\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"checkpoint\",\"durable\":\(damaged + 2)")
        let second = Array("?\n".utf8) + line(damaged + 2, durable: damaged + 1) + checkpoint
        let open = try OpenLog(MemoryDisk([segmentName(1): first, segmentName(damaged + 1): second]))
        #expect(open.log.report.damageCount == damaged / 2 + 1)
        #expect(open.log.report.damages.count == ScanState.damagesMax)
        #expect(open.disk[segmentName(damaged + 3)] != nil)
        #expect(open.append("x") == .fresh(UInt64(damaged + 3)))
        #expect(open.disk[segmentName(damaged + 1)] == second)
    }

    private func line(_ sequence: Int, durable: Int) -> [UInt8] {
        referenceLine(
            "{\"sequence\":\(sequence),\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"overdue\",\"request_id\":\"id-\(sequence % 5)\",\"durable\":\(durable)")
    }

    @Test("what stands beside the segments is left alone, but for an unfinished copy")
    func beside() throws {
        let foreign = [
            segmentName(4, ".torn"), segmentName(4, ".failed"), "tokens", "notes.jsonl.new", "1.jsonl", "0000000000000000004x.jsonl", segmentName(99) + "~",
            "01000000000000000000.jsonl", "99999999999999999999.jsonl", segmentName(0), "-0000000000000000005.jsonl",
        ]
        var files = try sample()
        for name in foreign { files[name] = Array("{\"sequence\":99}\n".utf8) }
        var withUnfinished = files
        withUnfinished[segmentName(12, ".new")] = Array("half".utf8)
        let open = try OpenLog(MemoryDisk(withUnfinished))
        #expect(open.disk.files == files)
        #expect(open.append("x") == .fresh(13))
    }

    @Test("a sequence beyond 18 digits is refused at the door, not counted on")
    func huge() throws {
        let name = "00999999999999999999.jsonl"
        #expect(throws: LogOpenFailure.sequenceTooLarge(path: "memory")) { try OpenLog(MemoryDisk([name: []])) }
        let near = "00999999999999999990.jsonl"
        #expect(try OpenLog(MemoryDisk([near: []])).append("x") == .fresh(999_999_999_999_999_990))
    }

    @Test("a name and its sequence are inverse")
    func names() {
        for sequence in [1, 42, 9_999, RecordFormat.sequenceMax] as [UInt64] {
            #expect(SegmentName.firstSequence(of: SegmentName.name(first: sequence)) == sequence)
        }
    }

    @Test("a line of exactly the bound is sound; one byte more is not, though its checksum holds")
    func lineBound() throws {
        for excess in [0, 1] {
            let payload = [UInt8](repeating: 0x20, count: RecordFormat.lineBytesMax + excess - 154)
            var bytes = line(1, durable: 0)
            let start = bytes.count
            RecordFormat.appendCallback(
                sequence: 2, receivedAt: Timestamp(milliseconds: 0), requestID: Array("id-2".utf8).span, status: .sent,
                payload: (Array("{".utf8) + payload + Array("}".utf8)).span, durable: 1, to: &bytes)
            try #require(bytes.count - start - 1 == RecordFormat.lineBytesMax + excess)
            let open = try OpenLog(MemoryDisk([segmentName(1): bytes + line(3, durable: 2)]))
            #expect(try served(open) == (excess == 0 ? [1, 2, 3] : [1, 3]))
        }
    }
}
