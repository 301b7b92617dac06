// What `log cat` prints: lines as they are, those that one asked for, and what comes while it follows.

import Foundation
import TestSupport
import Testing

@testable import CallbackLog

@Suite("log cat")
struct CatTests {
    @Test("prints every record as it stands in the log, in order; no checkpoint, no padding")
    func plain() throws {
        let log = HandmadeLog(records: 7, each: 3)
        log.segments[4]?.insert("", at: 1)
        try log.write()
        let run = try log.run("cat")
        #expect(run.status == .exited(0))
        #expect(run.error == "")
        #expect(run.output == (1...7).map { HandmadeLog.record($0, "r\($0)") + "\n" }.joined())
    }

    @Test(
        "filters by id, status, kind and time: since is inclusive, until is not",
        arguments: [
            (["--request-id", "r2"], [2]), (["--request-id", "r"], []), (["--request-id", "a\"b\\c"], [5]),
            (["--status", "failed"], [3, 5]), (["--status", "failed", "--request-id", "r3"], [3]), (["--kind", "callback"], [1, 2, 3, 4, 5]),
            (["--kind", "announcement"], []), (["--since", "2026-05-20T00:00:03.003Z"], [3, 4, 5]), (["--since", "2026-05-20T02:00:03.003+02:00"], [3, 4, 5]),
            (["--until", "2026-05-20T00:00:03.003Z"], [1, 2]), (["--since", "2026-05-20", "--until", "2026-05-20T00:00:02.5Z"], [1, 2]),
            (["--since", "2026-05-21"], []),
        ])
    func filters(arguments: [String], expected: [Int]) throws {
        let log = HandmadeLog()
        let lines = [
            HandmadeLog.record(1, "r1"), HandmadeLog.record(2, "r2"), HandmadeLog.record(3, "r3", status: "failed"),
            HandmadeLog.record(4, "r4", status: "unrecognized"), HandmadeLog.record(5, "a\\\"b\\\\c", status: "failed", payload: "{}"),
        ]
        log.segments = [1: Array(lines[..<2]), 3: Array(lines[2...])]
        try log.write()
        let run = try runToExit(["log", "cat", "--data-directory", log.path] + arguments)
        #expect(run.status == .exited(0), "\(run.error)")
        #expect(run.output == expected.map { lines[$0 - 1] + "\n" }.joined())
    }

    @Test(
        "what is no moment, status or kind is wrong usage and says what is possible",
        arguments: [
            (["--since", "yesterday"], "write for example 2026-05-20T18:20:25Z or 2026-05-20"), (["--until", "2026-02-30"], "write for example"),
            (["--status", "lost"], "Please provide one of"), (["--kind", "x"], "Please provide one of"),
        ])
    func usage(arguments: [String], text: String) throws {
        let run = try runToExit(["log", "cat"] + arguments)
        #expect(run.status == .exited(64))
        #expect(run.error.lines.count == 1 && run.error.contains(text), "\(run.error)")
    }

    @Test("--since leaves out whole files by their next one's first record, and no record that is wanted", arguments: 1...13)
    func since(sequence: Int) throws {
        let log = HandmadeLog(records: 12, each: 3)
        // Not a line: then it cannot be told, and the file before is read.
        log.segments[7]?.insert("x", at: 0)
        try log.write()
        let run = try log.run("cat", "--since", HandmadeLog.moment(sequence))
        #expect(run.output == (1...13).dropFirst(sequence - 1).filter { $0 < 13 }.map { HandmadeLog.record($0, "r\($0)") + "\n" }.joined())
        let left = try LogInspection(path: log.path).since(#require(Timestamp(rfc3339: HandmadeLog.moment(sequence))))
        #expect(left.segments.map(\.first) == (sequence <= 4 ? [1, 4, 7, 10] : sequence <= 10 ? [4, 7, 10] : [10]))
    }

    @Test("damaged lines are passed over, and standard error says so")
    func damaged() throws {
        let log = HandmadeLog(records: 3, each: 3)
        log.segments[1]?[1] = "x"
        try log.write()
        let run = try log.run("cat")
        #expect(run.status == .exited(0))
        #expect(run.output.lines == [HandmadeLog.record(1, "r1"), HandmadeLog.record(3, "r3")])
        #expect(run.error == "callback-receiver: 1 damaged place passed over; see callback-receiver log verify\n")
    }

    @Test("ends quietly when the reader of the pipe leaves")
    func brokenPipe() throws {
        let log = HandmadeLog(records: 3_000, each: 1_000)
        try log.write()
        let command = "set -o pipefail; '\(ServerProcess.executable)' log cat --data-directory '\(log.path)' | head -n 1"
        let shell = try ChildProcess(executable: "/bin/bash", arguments: ["-c", command])
        #expect(try shell.waitForExit() == .exited(0))
        #expect(shell.standardOutput == HandmadeLog.record(1, "r1") + "\n")
        #expect(shell.standardError == "")
    }

    @Test("following prints what comes, also a line that comes in two halves, and goes on in the next file")
    func follow() throws {
        let log = HandmadeLog(records: 2, each: 2)
        try log.write()
        let child = try ChildProcess(executable: ServerProcess.executable, arguments: ["log", "cat", "--follow", "--data-directory", log.path])
        func printed(_ count: Int) throws {
            let expected = (1...count).map { HandmadeLog.record($0, "r\($0)") + "\n" }.joined()
            _ = try eventually("\(count) lines") { child.standardOutput.utf8.count >= expected.utf8.count ? true : nil }
            #expect(child.standardOutput == expected)
        }
        try printed(2)
        let third = HandmadeLog.record(3, "r3")
        try log.append(String(third.prefix(40)), to: 1)
        try log.append(String(third.dropFirst(40)) + "\n" + HandmadeLog.record(4, "r4") + "\n\n\n\n", to: 1)
        try printed(4)
        log.segments = [5: [HandmadeLog.record(5, "r5")]]
        try log.write()
        try printed(5)
        // Retention takes the one that was read.
        try log.remove(HandmadeLog.name(1))
        try log.append(HandmadeLog.record(6, "r6") + "\n", to: 5)
        try printed(6)
        child.send(signal: SIGINT)
        #expect(try child.waitForExit() == .signalled(SIGINT))
        #expect(child.standardError == "")
    }

    @Test("what following passes over is said on standard error as it comes: a place once, however many lines")
    func followDamaged() throws {
        let log = HandmadeLog(records: 3, each: 3)
        log.segments[1]?[1] = "x"
        try log.write()
        let child = try ChildProcess(executable: ServerProcess.executable, arguments: ["log", "cat", "-f", "--data-directory", log.path])
        let notice = "callback-receiver: 1 damaged place passed over; see callback-receiver log verify\n"
        for (number, records) in [[1, 3], [1, 3, 6]].enumerated() {
            _ = try eventually("a notice") { child.standardError.utf8.count > number * notice.utf8.count ? true : nil }
            #expect(child.standardError == String(repeating: notice, count: number + 1))
            #expect(child.standardOutput.lines == records.map { HandmadeLog.record($0, "r\($0)") })
            try log.append("y\nz\n" + HandmadeLog.record(6, "r6") + "\n", to: 1)
        }
        child.send(signal: SIGINT)
        #expect(try child.waitForExit() == .signalled(SIGINT))
    }

    @Test("following ends quietly when its reader leaves, though nothing more comes")
    func followWithoutReader() throws {
        let log = HandmadeLog(records: 2, each: 2)
        try log.write()
        let command = "set -o pipefail; '\(ServerProcess.executable)' log cat -f --data-directory '\(log.path)' | head -n 1"
        let shell = try ChildProcess(executable: "/bin/bash", arguments: ["-c", command])
        #expect(try shell.waitForExit() == .exited(0))
        #expect(shell.standardError == "")
    }

    // MARK: the tail by itself

    private func take(_ tail: inout LogTail) throws -> [UInt64] {
        var seen: [UInt64] = []
        try tail.advance { record, _ in seen.append(record.sequence) }
        return seen
    }

    @Test("the tail waits for half a line before padding, and passes over what only a sound line behind it shows to be unsound")
    func tail() throws {
        let log = HandmadeLog(records: 2, each: 2)
        try log.write()
        var tail = LogTail(try LogInspection(path: log.path))
        #expect(try take(&tail) == [1, 2])
        #expect(try take(&tail) == [])
        var bytes = log.bytes(1)
        let third = Array(HandmadeLog.record(3, "r3").utf8)
        try log.write(bytes + third[..<50] + [UInt8](repeating: 0x0A, count: 200_000), to: HandmadeLog.name(1))
        #expect(try take(&tail) == [])
        #expect(tail.unsoundCount == 0)
        bytes += third + [0x0A]
        try log.write(bytes + [UInt8](repeating: 0x0A, count: 200_000), to: HandmadeLog.name(1))
        #expect(try take(&tail) == [3])
        bytes += Array("nonsense\n\(HandmadeLog.record(5, "r5"))\n".utf8)
        try log.write(bytes, to: HandmadeLog.name(1))
        #expect(try take(&tail) == [5])
        #expect(tail.unsoundCount == 1)
    }

    @Test("what a failed write left is followed by what is written in its place, in a fresh file or in one of the same name")
    func writtenAnew() throws {
        let log = HandmadeLog()
        log.segments = [1: [HandmadeLog.record(1, "r1"), HandmadeLog.record(2, "gone")]]
        try log.write()
        var tail = LogTail(try LogInspection(path: log.path))
        #expect(try take(&tail) == [1, 2])
        log.segments = [2: [HandmadeLog.record(2, "r2", durable: 1), HandmadeLog.record(3, "gone")]]
        try log.write()
        #expect(try take(&tail) == [2, 3])
        log.segments = [2: [HandmadeLog.record(2, "again", durable: 1), HandmadeLog.record(3, "r3")]]
        try log.write()
        #expect(try take(&tail) == [2, 3])
        #expect(try take(&tail) == [])
    }
}
