// API §3: file descriptors exhausted, with connections open that want to be served.
//
// Promises: the limit is the kernel's (RLIMIT_NOFILE, setrlimit(2)), set at start or pulled tight while the server runs;
// segments are small, so that new files are needed all the while.
// Must not know: what the server opens, and when.

import Foundation
import Testing
import TestSupport

@Suite("No descriptor left", .enabled(if: InstalledProgram.path(of: "prlimit") != nil, "prlimit(1) of util-linux is not installed"))
struct DescriptorTests {
    private static let configuration = "log:\n  segment-bytes-max: 1MiB\n"

    private func setLimit(_ server: ServerProcess, _ limit: Int) throws {
        let run = try InstalledProgram.run("/usr/bin/prlimit", ["--pid", "\(server.child.processIdentifier)", "--nofile=\(limit):"])
        #expect(run.status == .exited(0), "\(run.error)")
    }

    @Test("more connections than descriptors: those that got in are served, and newcomers once others leave", arguments: [260, 400])
    func manyConnections(limit: Int) throws {
        let server = try ServerProcess(configuration: Self.configuration + "server:\n  loops: 1\n", descriptorsMax: limit)
        let first = try server.connect()
        var load = CallbackLoad(paddingBytes: 0...60_000)
        try load.run(on: server, connections: 4) { $0.acknowledged.count >= 10 }
        // Idle ones may be closed for the sake of others; whoever is not is served.
        var crowd: [RawConnection] = []
        for _ in 0..<limit * 2 { if let one = try? server.connect() { crowd.append(one) } }
        try first.send(postBytes(sentPayload("first")), toleratingClose: true)
        for (index, connection) in crowd.enumerated() {
            try connection.send(postBytes(sentPayload("crowd-\(index)")), toleratingClose: true)
        }
        var stored: [String] = []
        for (index, connection) in crowd.enumerated() {
            guard let answer = try? connection.readAnswer() else { continue }
            #expect(answer.status == 200 || answer.status == 503, "\(answer.text)")
            if answer.status == 200 { stored.append("crowd-\(index)") }
        }
        #expect(!stored.isEmpty)
        crowd.removeAll()
        try eventually("newcomers are served again") { (try? server.get("/healthz").status) == 200 }
        try expectRecovery(server, &load, more: 60, connections: 4)
        for identifier in stored { #expect(try server.status(of: identifier).status == 200, "\(identifier)") }
        try server.child.kill9()
        let log = try server.log()
        for identifier in stored { #expect(log.records(of: identifier).count == 1, "\(identifier)") }
        try expectSoundRestart(&load, in: server.directory, configuration: Self.configuration)
    }

    @Test("whoever reads the whole log takes no descriptor from those who send")
    func reading() throws {
        let server = try ServerProcess(configuration: Self.configuration + "server:\n  loops: 1\n", descriptorsMax: 200)
        var load = CallbackLoad(paddingBytes: 60_000...61_000)
        load.retriedMax = 10
        try load.run(on: server, connections: 4) { $0.acknowledged.count >= 1_600 }
        #expect(server.directory.entries.count { $0.hasSuffix(".jsonl") } > 90)
        let exported = try server.get("/v1/export")
        #expect(exported.status == 200 && exported.text.split(separator: "\n").count == load.acknowledged.count)
        for index in 0..<5 { #expect(try server.post(sentPayload("after-\(index)")).status == 200) }
    }

    @Test("tokens that could not be read for want of one are taken up once there are some")
    func tokens() throws {
        let server = try ServerProcess()
        let first = try Token.create(in: server.directory, name: "first")
        try eventually("the first token", holds: { try server.get("/v1/requests", first).status == 200 })
        try setLimit(server, 3)
        let second = try Token.create(in: server.directory, name: "second")
        try eventually("that they cannot be read", holds: { server.child.standardError.contains("tokens cannot be read") })
        try setLimit(server, 1_024)
        try eventually("the second token", holds: { try server.get("/v1/requests", second).status == 200 })
    }

    @Test("none left while it runs: connections that exist are stored or told to come again, none is told anything wrong")
    func noneLeft() throws {
        let server = try ServerProcess(configuration: Self.configuration)
        var load = CallbackLoad(paddingBytes: 0...60_000)
        try load.run(on: server) { $0.acknowledged.count >= 80 }
        let asking = try server.connect()
        #expect(try server.post(sentPayload("before")).status == 200)
        do {
            let posting = try (0..<4).map { _ in try server.connect() }
            // Every one that is open is served: none of theirs may be the one that does not fit.
            for connection in posting + [asking] {
                try connection.send(requestBytes("GET", "/healthz"))
                #expect(try connection.readAnswer().status == 200)
            }
            // Where the next line would go; the open segment may have been extended ahead of it.
            let written = try server.log().lines.last.map { $0.offset + $0.text.utf8.count } ?? 0
            try setLimit(server, 3)
            var statuses: [Int] = []
            var told: [String: String] = [:]
            for index in 0..<60 {
                let identifier = "tight-\(index)"
                let payload = sentPayload(identifier, String(repeating: "x", count: 50_000))
                try posting[index % 4].send(postBytes(payload))
                let answer = try posting[index % 4].readAnswer()
                statuses.append(answer.status)
                #expect(answer.status == 200 || answer.status == 503 && answer["Retry-After"] != nil, "\(answer.status) \(answer.text)")
                if answer.status == 200 { told[identifier] = payload }
                // What is there is never said not to be.
                let known = load.order[index]
                try asking.send(requestBytes("GET", "/v1/requests/\(known)"))
                let status = try asking.readAnswer()
                #expect(status.status == 200 || status.status == 503 && status["Retry-After"] != nil, "\(known): \(status.status) \(status.text)")
            }
            // The segment that is open needs no descriptor more.
            #expect(statuses.first == 200 || written > 900_000, "\(server.child.standardError.suffix(1_000))")
            try setLimit(server, 1_024)
            try expectRecovery(server, &load)
            for identifier in told.keys { #expect(try server.status(of: identifier).status == 200, "\(identifier)") }
            let log = try server.log()
            for (identifier, payload) in told { #expect(log.records(of: identifier).map(\.payload) == [payload], "\(identifier)") }
        }
        try server.child.kill9()
        try expectSoundRestart(&load, in: server.directory, configuration: Self.configuration)
    }
}
