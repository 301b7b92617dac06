// API §3, §7: the log directory taken away, moved and replaced under the running server.
//
// Promises: callbacks come in all the while; nothing 200 is anywhere but in the log directory, and once that is back the
// server goes on by itself.
// Must not know: whether the server goes by path or by descriptor.

import Foundation
import Testing
import TestSupport

@Suite("A log directory changed underneath")
struct DirectoryTests {
    private static let configuration = "log:\n  segment-bytes-max: 1MiB\n"

    /// What stands at the log directory's path while it is away.
    enum Stand: CaseIterable {
        case nothing, emptyDirectory, file, otherLog, link, danglingLink

        func put(at path: String, other: String) throws {
            let files = FileManager.default
            switch self {
            case .nothing: break
            case .emptyDirectory: try files.createDirectory(atPath: path, withIntermediateDirectories: false)
            case .file: try Data("not a directory".utf8).write(to: URL(fileURLWithPath: path))
            case .otherLog: try files.copyItem(atPath: other, toPath: path)
            case .link: try files.createSymbolicLink(atPath: path, withDestinationPath: other)
            case .danglingLink: try files.createSymbolicLink(atPath: path, withDestinationPath: path + "-nowhere")
            }
        }
    }

    @Test("moved away it is 503, whatever stands in its place; moved back it is 200 by itself", arguments: Stand.allCases)
    func moved(stand: Stand) throws {
        let place = try TemporaryDirectory()
        // Another log with the same names, as a backup put in place would have.
        let other = try ServerProcess()
        #expect(try other.post(sentPayload("other")).status == 200)
        try other.terminate()
        let before = try other.log().lines.map(\.text)

        let directory = try TemporaryDirectory()
        let server = try ServerProcess(directory: directory, configuration: Self.configuration)
        var load = CallbackLoad(paddingBytes: 0...3_000)
        for round in 1...2 {
            try load.run(on: server) { $0.acknowledged.count >= 100 * round }
            try FileManager.default.moveItem(atPath: directory.path, toPath: place.path(of: "away"))
            try stand.put(at: directory.path, other: other.directory.path)
            let refusals = load.refusalCount
            try load.run(on: server) { $0.refusalCount >= refusals + 30 }
            try expectNotReady(server, load, naming: ["directory"])
            #expect(load.violations(in: try LogReader(directory: place.path(of: "away"))) == [])
            if stand != .nothing { try FileManager.default.removeItem(atPath: directory.path) }
            try FileManager.default.moveItem(atPath: place.path(of: "away"), toPath: directory.path)
            try expectRecovery(server, &load)
        }
        #expect(try other.log().lines.map(\.text) == before)
        try load.run(on: server, ending: .killed) { $0.acknowledged.count >= 450 }
        try expectSoundRestart(&load, in: directory, configuration: Self.configuration)
    }

    @Test("its newest file cut short in mid-line: the next callback is there after a crash, and what was cut is named", arguments: [false, true])
    func cutShort(isIdle: Bool) throws {
        let server = try ServerProcess()
        for number in 1...5 { #expect(try server.post(sentPayload("before-\(number)")).status == 200) }
        let file = server.directory.path(of: "00000000000000000001.jsonl")
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
        try handle.truncate(atOffset: 500)
        func isNamed(by server: ServerProcess) throws -> Bool { try server.get("/readyz").text.contains("00000000000000000001.jsonl") }
        // With nothing but questions, it is they who find it.
        if isIdle { try eventually("readyz to name it") { try isNamed(by: server) } }
        #expect(try server.post(sentPayload("after")).status == 200)
        try eventually("readyz to name it") { try isNamed(by: server) }
        try server.child.kill9()
        let again = try ServerProcess(directory: server.directory)
        #expect(try again.get("/v1/requests/after").status == 200)
        #expect(try again.get("/v1/requests/before-1").status == 200)
        #expect(try again.get("/v1/requests/before-5").status == 404)
        #expect(try isNamed(by: again))
    }

    @Test("moved away for good, everything acknowledged is where it went")
    func movedForGood() throws {
        let place = try TemporaryDirectory()
        let directory = try TemporaryDirectory()
        let server = try ServerProcess(directory: directory, configuration: Self.configuration)
        var load = CallbackLoad(paddingBytes: 0...3_000)
        try load.run(on: server) { $0.acknowledged.count >= 100 }
        try FileManager.default.moveItem(atPath: directory.path, toPath: place.path(of: "away"))
        try load.run(on: server) { $0.refusalCount >= 30 }
        #expect(try server.terminate() == .exited(0), "\(server.child.standardError)")
        #expect(!FileManager.default.fileExists(atPath: directory.path))
        try FileManager.default.moveItem(atPath: place.path(of: "away"), toPath: directory.path)
        try expectSoundRestart(&load, in: directory, configuration: Self.configuration)
    }

    @Test("deleted under load it is 503, never 200, though it be made anew; a restart begins a fresh log")
    func deleted() throws {
        let directory = try TemporaryDirectory()
        let server = try ServerProcess(directory: directory, configuration: Self.configuration)
        var load = CallbackLoad(paddingBytes: 0...3_000)
        try load.run(on: server) { $0.acknowledged.count >= 100 }
        try FileManager.default.removeItem(atPath: directory.path)
        try load.run(on: server) { $0.refusalCount >= 30 }
        let promised = load.acknowledged.count
        try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: false)
        try load.run(on: server) { $0.refusalCount >= 60 }
        // It may take up an empty directory in its place, if what it answers then is in there.
        let acknowledged = load.order.dropFirst(promised)
        let log = try LogReader(directory: directory.path)
        for identifier in acknowledged { #expect(log.records(of: identifier).count == 1, "\(identifier)") }
        try server.child.kill9()
        let again = try ServerProcess(directory: directory, configuration: Self.configuration)
        #expect(try again.post(sentPayload("fresh")).status == 200)
    }
}
