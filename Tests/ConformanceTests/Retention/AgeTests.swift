// `log.retention.days`: what is older goes, whole segments at a time, and the open one is sealed by age so that it can.
//
// Promises: every segment is written by hand with its times (API §7), relative to the moment of the test; margins are hours.
// Must not know: when the server looks. What must go goes within seconds of the start.

import Foundation
import Testing
import TestSupport

@Suite("Retention by age")
struct AgeTests {
    private static let hour = 3_600.0
    private static let day = 24 * hour

    /// A record by its identifier, and how long ago it came.
    private struct Past {
        let identifier: String
        let secondsAgo: Double
    }

    private func time(_ secondsAgo: Double) -> String {
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return (Date.now - secondsAgo).formatted(format)
    }

    private func sealed(_ text: String) -> String {
        let digits = String(bytewiseCRC32C(text.utf8), radix: 16)
        return text + ",\"crc32c\":\"" + String(repeating: "0", count: 8 - digits.count) + digits + "\"}\n"
    }

    /// Segments in order, their sequences dense from 1, all proved.
    private func log(_ segments: [[Past]]) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        var sequence = 0
        for records in segments {
            var text = ""
            let first = sequence + 1
            for record in records {
                sequence += 1
                text += sealed(
                    "{\"sequence\":\(sequence),\"received_at\":\"\(time(record.secondsAgo))\",\"kind\":\"callback\",\"request_id\":\"\(record.identifier)\","
                        + "\"status\":\"sent\",\"payload\":\(sentPayload(record.identifier)),\"durable\":\(sequence - 1)")
            }
            if let last = records.last {
                text += sealed("{\"received_at\":\"\(time(last.secondsAgo))\",\"kind\":\"checkpoint\",\"durable\":\(sequence)")
            }
            let digits = String(first)
            try directory.write(text, to: String(repeating: "0", count: 20 - digits.count) + digits + ".jsonl")
        }
        return directory
    }

    private func configuration(days: Int) -> String { "log:\n  retention:\n    days: \(days)\n" }

    private func status(_ server: ServerProcess, _ identifier: String) throws -> Int {
        let answer = try eventually("an answer") { () -> Answer? in
            let answer = try server.status(of: identifier)
            return answer.status == 503 ? nil : answer
        }
        return answer.status
    }

    private func segments(_ directory: TemporaryDirectory) -> [Int] {
        directory.entries.filter { $0.hasSuffix(".jsonl") }.compactMap { Int($0.prefix(20)) }
    }

    @Test("segments all of whose records are older go, oldest first; one with a younger record stays whole")
    func older() throws {
        let directory = try log([
            [Past(identifier: "a", secondsAgo: 90 * Self.day), Past(identifier: "b", secondsAgo: 60 * Self.day)],
            [Past(identifier: "c", secondsAgo: 50 * Self.day), Past(identifier: "d", secondsAgo: 31 * Self.day)],
            [Past(identifier: "e", secondsAgo: 31 * Self.day), Past(identifier: "f", secondsAgo: 29 * Self.day)],
            [Past(identifier: "g", secondsAgo: 2 * Self.hour)],
        ])
        let server = try ServerProcess(directory: directory, configuration: configuration(days: 30))
        try eventually("the old ones to go: \(directory.entries)") { segments(directory).first == 5 }
        for identifier in ["a", "b", "c", "d"] { #expect(try status(server, identifier) == 404, "\(identifier)") }
        for identifier in ["e", "f", "g"] { #expect(try status(server, identifier) == 200, "\(identifier)") }
        try eventually("what was beside them to go: \(directory.entries)") {
            !directory.entries.contains { $0.hasPrefix("00000000000000000001.") || $0.hasPrefix("00000000000000000003.") }
        }
        #expect(try server.post(sentPayload("b")).object().integer("sequence") == 8)
        #expect(try server.post(sentPayload("e")).object()["duplicate"] == "true")
        #expect(try server.get("/readyz").status == 200)
        try server.terminate()
        #expect(try server.log().violations() == [])
        #expect(segments(directory).first == 5)
    }

    @Test("an open segment whose records are all older is sealed and goes; sequences go on", arguments: [true, false])
    func openSegment(killing: Bool) throws {
        let directory = try log([
            [Past(identifier: "a", secondsAgo: 90 * Self.day)],
            [Past(identifier: "b", secondsAgo: 60 * Self.day), Past(identifier: "c", secondsAgo: 40 * Self.day)],
        ])
        let server = try ServerProcess(directory: directory, configuration: configuration(days: 30))
        try eventually("the old ones to go: \(directory.entries)") { segments(directory).allSatisfy { $0 > 3 } }
        for identifier in ["a", "b", "c"] { #expect(try status(server, identifier) == 404, "\(identifier)") }
        // The newest never goes: the log does not forget where it was.
        #expect(segments(directory) == [4])
        if killing { try server.child.kill9() } else { try server.terminate() }
        let again = try ServerProcess(directory: directory, configuration: configuration(days: 30))
        #expect(try again.post(sentPayload("c")).object().integer("sequence") == 4)
        #expect(try !again.get("/readyz").text.contains(".jsonl"))
        try again.terminate()
        #expect(try again.log().violations() == [])
    }

    @Test("an open segment that began longer ago than a tenth of the days, and than a day, is sealed; its records stay",
        arguments: [(2, 25.0), (100, 241.0)])
    func sealedByAge(days: Int, hoursAgo: Double) throws {
        let directory = try log([[Past(identifier: "a", secondsAgo: hoursAgo * Self.hour), Past(identifier: "b", secondsAgo: 60)]])
        let server = try ServerProcess(directory: directory, configuration: configuration(days: days))
        #expect(try server.post(sentPayload("c")).status == 200)
        try eventually("a second segment: \(directory.entries)") {
            _ = try server.post(sentPayload("d"))
            return segments(directory).count == 2
        }
        for identifier in ["a", "b", "c"] { #expect(try status(server, identifier) == 200, "\(identifier)") }
        try server.terminate()
        #expect(try server.log().violations() == [])
    }

    @Test("a younger open segment is not sealed", arguments: [(2, 23.0), (100, 239.0)])
    func notSealed(days: Int, hoursAgo: Double) throws {
        let directory = try log([[Past(identifier: "a", secondsAgo: hoursAgo * Self.hour), Past(identifier: "b", secondsAgo: 60)]])
        let server = try ServerProcess(directory: directory, configuration: configuration(days: days))
        #expect(try server.post(sentPayload("c")).status == 200)
        try eventually("a checkpoint") { try server.log().lines.last?.kind == "checkpoint" }
        #expect(segments(directory) == [1])
        for identifier in ["a", "b", "c"] { #expect(try status(server, identifier) == 200, "\(identifier)") }
    }

    @Test("without retention.days nothing goes and nothing is sealed, however old")
    func withoutDays() throws {
        let directory = try log([
            [Past(identifier: "a", secondsAgo: 3_000 * Self.day)], [Past(identifier: "b", secondsAgo: 2_000 * Self.day)],
        ])
        let server = try ServerProcess(directory: directory)
        #expect(try server.post(sentPayload("c")).object().integer("sequence") == 3)
        try eventually("a checkpoint") { try server.log().lines.last?.kind == "checkpoint" }
        #expect(segments(directory) == [1, 2])
        for identifier in ["a", "b", "c"] { #expect(try status(server, identifier) == 200, "\(identifier)") }
    }
}
