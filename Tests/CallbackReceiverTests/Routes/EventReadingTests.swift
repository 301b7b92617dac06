// The events behind a position of a log: each record one, or a gap that says so.

import Testing
import TestSupport

@testable import CallbackLog
@testable import CallbackReceiver

@Suite("Events of a log")
struct EventReadingTests {
    private static let logID = EventPositionTests.here

    /// `sequence name request_id status callbacks`, or `gap after next`, for each event behind `after`.
    private func events(_ written: WrittenLog, after: String, bytesMax: Int = 1 << 20) throws -> [String] {
        let log = written.log
        let extent = EventPosition.Extent(logID: Self.logID, first: log.firstSequence, durable: log.durable)
        var reading = EventReading(log, logID: Self.logID, from: try EventPosition(lastEventID: nil, after: Array(after.utf8), in: extent))
        var (reader, cache, seen) = (RecordReader(), EventCache(), [String]())
        while true {
            var output: [UInt8] = []
            try reading.append(bytesMax: bytesMax, to: &output, using: &reader, &cache)
            guard !output.isEmpty else { return seen }
            for event in String(decoding: output, as: UTF8.self).components(separatedBy: "\n\n").dropLast() {
                let lines = event.split(separator: "\n").map(String.init)
                #expect(lines.count == 3 && lines[0].hasPrefix("id: \(Self.logID)-"))
                let (id, name, data) = (lines[0].split(separator: "-")[1], lines[1].dropFirst("event: ".count), try RawJSON(object: String(lines[2].dropFirst("data: ".count))))
                if name == "gap" {
                    let next = try #require(data.integer("next"))
                    #expect(id == "\(next - 1)")
                    seen.append("gap \(try #require(data.string("after")).replacing(Self.logID, with: "")) \(next)")
                } else {
                    #expect(id == data["sequence"] ?? "" && name == data.string("status") ?? "")
                    seen.append("\(id) \(name) \(data.string("request_id") ?? "") \(data["callbacks"] ?? "") \(data["reference"] ?? "")")
                }
            }
        }
    }

    private static let history: [WrittenLog.Record] = [
        .announcement("a", after: 2, reference: "r"), sent("b"), .overdue("a"), .announcement("a", after: 9), failed("a"), sent("a"), .announcement("b"),
    ]
    private static let told = [
        "1 pending a 0 \"r\"", "2 sent b 1 null", "3 overdue a 0 \"r\"", "4 pending a 0 null", "5 failed a 1 null", "6 sent a 2 null", "7 sent b 1 null",
    ]

    @Test("each record is an event, the request as of it, whatever segment it is in", arguments: [1, 3, 100], [1, 1 << 20])
    func history(each: Int, bytesMax: Int) throws {
        let written = try WrittenLog(Self.history, each: each)
        #expect(try eventually("all segments have an index") { try? events(written, after: "0", bytesMax: bytesMax) } == Self.told)
        for after in 1...7 { #expect(try events(written, after: "\(after)", bytesMax: bytesMax) == Array(Self.told[after...])) }
        #expect(try events(written, after: "8") == ["gap 8 8"])
    }

    @Test("what is not there, or of no known kind, is a gap; one for any number in a row")
    func gaps() throws {
        let written = try WrittenLog([sent("a"), .strange("x"), sent("b"), .damaged("c"), .strange("d"), sent("e"), .strange("f")])
        #expect(
            try events(written, after: "0") == [
                "1 sent a 1 null", "gap -1 3", "3 sent b 1 null", "gap -3 6", "6 sent e 1 null", "gap -6 8",
            ])
        #expect(try events(written, after: "4") == ["gap -4 6", "6 sent e 1 null", "gap -6 8"])
    }

    @Test("a long row of them is told in pieces, so that nobody waits until all were looked at")
    func longGap() throws {
        let most = EventReading.passedOverMax
        let written = try WrittenLog([sent("a")] + [WrittenLog.Record](repeating: .strange("x"), count: most + 5) + [sent("b")])
        #expect(
            try events(written, after: "1") == [
                "gap -1 \(most + 2)", "gap -\(most + 1) \(most + 7)", "\(most + 7) sent b 1 null",
            ])
    }

    @Test("an event that was made for one is there for the next, as long as it is among the newest")
    func cache() {
        var cache = EventCache()
        func kept(_ sequence: UInt64) -> String? {
            var output: [UInt8] = []
            return cache.append(sequence, to: &output) ? String(decoding: output, as: UTF8.self) : nil
        }
        #expect(kept(1) == nil)
        for sequence: UInt64 in 1...300 { cache.keep(sequence, Array("\(sequence)".utf8)[...]) }
        #expect(kept(300) == "300" && kept(45) == "45" && kept(44) == nil && kept(301) == nil && kept(0) == nil)
        // Who reads what is long past changes nothing.
        cache.keep(7, Array("7".utf8)[...])
        #expect(kept(7) == nil && kept(263) == "263")
        cache.keep(301, ArraySlice(repeating: 1, count: EventCache.eventBytesMax + 1))
        #expect(kept(301) == nil && kept(45) == "45")
    }
}
