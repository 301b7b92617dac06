// A byte that changes below the durable position while the log runs, in any segment: intake goes on, the damage is
// named, the rest is served; and the next start, which has nothing but the segments, names it, too.
//
// Must not know: what a start makes of damage that it finds beside a tear (DamageTests).

import TestSupport
import Testing

@testable import CallbackLog

@Suite struct ServingDamageTests {
    /// One record each, but for two that have their request's id in common.
    private static let identifiers = (1...12).map { $0 == 9 ? "id-4" : "id-\($0)" }
    private static func payload(_ sequence: UInt64) -> String { "{\"n\":\(sequence)}" }

    /// Records 1 to 12 in segments of three, proven to the end.
    private func sample() throws -> [String: [UInt8]] {
        let open = try OpenLog(MemoryDisk(), segmentBytesMax: 600)
        for (identifier, sequence) in zip(Self.identifiers, (1...12) as ClosedRange<UInt64>) { #expect(open.append(identifier, Self.payload(sequence)) == .fresh(sequence)) }
        open.close()
        return open.disk.files.filter { SegmentName.firstSequence(of: $0.key) != nil }
    }

    /// What is shown of the sample's records: those that are sound, and the damage that was named on the way.
    private func read(_ open: OpenLog) -> (served: Set<UInt64>, named: Set<Int64>) {
        var served: Set<UInt64> = []
        var named: Set<Int64> = []
        for identifier in Set(Self.identifiers) {
            var reader = RecordReader()
            do throws(RecordReadFailure) {
                for location in try open.log.records(of: Array(identifier.utf8).span, using: &reader) {
                    do throws(RecordReadFailure) {
                        let record = try open.log.read(location, using: &reader)
                        let payload = String(decoding: reader.bytes[record.payload], as: UTF8.self)
                        guard record.sequence <= 12 else { continue }
                        if payload == Self.payload(record.sequence) { served.insert(record.sequence) } else { Issue.record("\(record.sequence) is \(payload)") }
                    } catch {
                        if case .damaged(_, let offset) = error { named.insert(offset) }
                    }
                }
            } catch {
                if case .damaged(_, let offset) = error { named.insert(offset) }
            }
        }
        return (served, named)
    }

    @Test(
        "any byte of a record: that record is named and not served, all others are, and callbacks are stored",
        arguments: [LogShape.bare, .whole])
    func anyByte(shape: LogShape) throws {
        let files = try sample()
        #expect(files.count == 4)
        for (name, bytes) in files {
            for line in ReferenceRule.lines(bytes) {
                guard let sequence = line.sequence else { continue }
                for place in stride(from: Int(sequence % 3), to: line.text.count, by: 3) {
                    try check(files, name, line, sequence, place, shape)
                }
            }
        }
    }

    private func check(_ files: [String: [UInt8]], _ name: String, _ line: ReferenceLine, _ sequence: UInt64, _ place: Int, _ shape: LogShape) throws {
        var faults: [String] = []
        func hold(_ claim: Bool, _ text: String) { if !claim { faults.append(text) } }
        let sound = Set((1...12) as ClosedRange<UInt64>).subtracting([sequence])
        let identifier = Self.identifiers[Int(sequence) - 1]

        let damage = UnsoundPlace(segment: name, offset: Int64(line.offset), sequence: sequence)

        let open = try OpenLog(MemoryDisk(files), segmentBytesMax: 600, change: shape.apply)
        if shape != .bare { open.settleUpkeep() }
        open.disk.flip(name, line.offset + place)
        let seen = read(open)
        hold(seen.served == sound, "serves \(seen.served.sorted())")
        hold(seen.named == [Int64(line.offset)], "names \(seen.named)")
        if shape != .bare {
            // Upkeep has read the segment again.
            open.settleUpkeep()
            hold(open.log.damages.places == [damage], "knows \(open.log.damages)")
            hold(open.events.contains(.damaged(damage)), "says \(open.events)")
            hold(read(open).served == sound, "serves \(read(open).served.sorted()) once it is known")
            hold(read(open).named == [], "stumbles no more")
        }
        hold(open.append("fresh") == .fresh(13), "takes a callback")
        let retries = open.appendTogether(sound.map { (Self.identifiers[Int($0) - 1], Self.payload($0)) })
        hold(retries == sound.map { .duplicate(of: $0) }, "retries are \(retries)")
        hold(open.append(identifier, Self.payload(sequence)) == .fresh(14), "what cannot be read is stored again")
        if shape == .bare { hold(open.events.contains(.unreadable(.damaged(segment: name, offset: Int64(line.offset)))), "\(open.events)") }
        open.close()
        if shape != .bare {
            let indexed = try OpenLog(open.disk.afterPowerLoss(), segmentBytesMax: 600, change: shape.apply)
            hold(indexed.log.report.damages == [damage], "its index names it at the next start: \(indexed.log.report)")
        }

        let segments = open.disk.afterPowerLoss().files.filter { SegmentName.firstSequence(of: $0.key) != nil }
        let again = try OpenLog(MemoryDisk(segments), segmentBytesMax: 600)
        hold(again.log.report.damages == [damage], "\(again.log.report)")
        hold(again.log.report.tear == nil, "no tear")
        hold(read(again).served == sound, "after a start: \(read(again).served.sorted())")
        hold(again.append("fresh") == .duplicate(of: 13), "the record after it")
        hold(again.append(identifier, Self.payload(sequence)) == .duplicate(of: 14), "the record stored again")
        hold(again.append("later") == .fresh(15), "intake goes on after a start")
        if !faults.isEmpty { Issue.record("byte \(place) of record \(sequence): \(faults.joined(separator: "; "))") }
    }
}
