// API §7: the open segment as other programs find it while it is written, and the file that a clean stop leaves.
//
// Promises: jq and grep read the very file that the server writes to, whatever it is extended with ahead of the records.
// Must not know: whether it is.

import Foundation
import Testing
import TestSupport

@Suite("The open segment")
struct OpenSegmentTests {
    private func openSegment(_ server: ServerProcess) throws -> String {
        server.directory.path(of: try #require(try server.log().files.last))
    }

    @Test("jq reads it while the server runs and callbacks come in", .enabled(if: InstalledProgram.path(of: "jq") != nil, "jq is not installed"))
    func jq() throws {
        let server = try ServerProcess()
        var load = CallbackLoad()
        let jq = try #require(InstalledProgram.path(of: "jq"))
        for round in 1...3 {
            try load.run(on: server) { $0.acknowledged.count >= 100 * round }
            let run = try InstalledProgram.run(jq, ["-r", #"select(.kind == "callback").request_id"#, try openSegment(server)])
            #expect(run.status == .exited(0), "\(run.error)")
            let told = Set(run.output.split(separator: "\n").map(String.init))
            #expect(told == Set(load.order))
        }
        // In the midst of it: whole lines, or a last one cut short, but nothing else.
        let child = try ChildProcess(
            executable: "/bin/sh",
            arguments: ["-c", #"for i in 1 2 3 4 5; do "$0" -R -c 'fromjson? | select(.kind == "callback").sequence' "$1" | tail -n 1; done"#, jq, try openSegment(server)])
        try load.run(on: server) { _ in child.exitStatus != nil }
        #expect(child.exitStatus == .exited(0), "\(child.standardError)")
        let last = child.standardOutput.split(separator: "\n").compactMap { Int($0) }
        #expect(last.count == 5 && last == last.sorted() && last[0] >= 300, "\(last)")
    }

    @Test("grep finds a callback in it, as text, and counts each once")
    func grep() throws {
        let server = try ServerProcess()
        var load = CallbackLoad()
        try load.run(on: server) { $0.acknowledged.count >= 100 }
        let grep = try #require(InstalledProgram.path(of: "grep"))
        let path = try openSegment(server)
        for identifier in [load.order[0], load.order[50], load.order[99]] {
            let run = try InstalledProgram.run(grep, ["-h", "\"request_id\":\"\(identifier)\",\"status\"", path])
            #expect(run.status == .exited(0))
            #expect(run.output.hasPrefix("{\"sequence\":") && run.output.split(separator: "\n").count == 1, "\(run.output)")
        }
        let count = try InstalledProgram.run(grep, ["-c", "\"kind\":\"callback\"", path])
        #expect(count.output == "\(load.acknowledged.count)\n")
    }

    /// Bytes of a file behind its last line.
    private func bytesBehindLastLine(_ path: String) throws -> Int {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        let last = try #require(bytes.lastIndex { $0 != 0x0A && $0 != 0 })
        return bytes.count - last - 2
    }

    @Test("a clean stop leaves every segment ending with its last line", arguments: [SIGTERM, SIGINT])
    func cleanStop(signal: Int32) throws {
        let server = try ServerProcess(configuration: "log:\n  segment-bytes-max: 1MiB\n")
        var load = CallbackLoad(paddingBytes: 0...30_000)
        try load.run(on: server) { $0.acknowledged.count >= 170 }
        server.child.send(signal: signal)
        #expect(try server.child.waitForExit() == .exited(0))
        let log = try server.log()
        #expect(log.files.count >= 3)
        for file in log.files { #expect(try bytesBehindLastLine(server.directory.path(of: file)) == 0, "\(file)") }
        #expect(log.violations() == [])
    }

    @Test("a sealed segment ends with its last line while the server runs, and none grows beyond segment-bytes-max")
    func sealed() throws {
        let server = try ServerProcess(configuration: "log:\n  segment-bytes-max: 1MiB\n")
        var load = CallbackLoad(paddingBytes: 0...30_000)
        try load.run(on: server) { $0.acknowledged.count >= 250 }
        let files = try server.log().files
        #expect(files.count >= 3)
        for file in files.dropLast() {
            try eventually("\(file) to end with its last line") { try bytesBehindLastLine(server.directory.path(of: file)) == 0 }
        }
        for file in files {
            let size = try #require(FileManager.default.contents(atPath: server.directory.path(of: file))?.count)
            #expect(size <= 1 << 20, "\(file)")
        }
    }

    @Test("after a SIGKILL the padding is neither a tear nor damage, and is gone after a clean stop")
    func killed() throws {
        let directory = try TemporaryDirectory()
        var load = CallbackLoad()
        for round in 1...3 {
            let server = try ServerProcess(directory: directory)
            try load.run(on: server) { $0.acknowledged.count >= 80 * round }
            // Nothing is under way: what a kill cuts now is padding alone.
            try server.child.kill9()
        }
        let server = try ServerProcess(directory: directory)
        #expect(!server.child.standardError.contains(".torn"), "\(server.child.standardError)")
        #expect(!directory.entries.contains { $0.hasSuffix(".torn") })
        #expect(try !server.get("/readyz").text.contains(".jsonl"))
        #expect(try load.wrongAnswers(of: server) == [])
        try server.terminate()
        #expect(try server.log().violations() == [])
        for file in try server.log().files { #expect(try bytesBehindLastLine(directory.path(of: file)) == 0, "\(file)") }
    }
}
