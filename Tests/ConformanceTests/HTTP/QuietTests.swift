// RFC 9112 §9, over time: deadlines belong to the request they were set for, and memory to the bounds.
//
// Promises: a quiet while is watched, not slept through: nothing may arrive in it. What a server keeps for a client
// that does not read is measured from outside.
// Must not know: which clock the server reads, and when.

import Foundation
import Testing
import TestSupport

@Suite("Quiet and unread connections")
struct QuietTests {
    @Test("a quiet while counts against no later request, whole or in parts", arguments: [1_500, 6_500] as [Int32], [false, true])
    func quiet(milliseconds: Int32, inParts: Bool) throws {
        let server = try ServerProcess(configuration: "server:\n  timeouts:\n    header-seconds: 1\n    body-seconds: 1\n    idle-seconds: 60\n")
        let connection = try server.connect()
        try connection.send(requestBytes("GET", "/healthz"))
        #expect(try connection.readAnswer().status == 200)
        #expect(!connection.isReadable(milliseconds: milliseconds))
        let request = postBytes(sentPayload("a"))
        try connection.send(inParts ? Array(request[..<10]) : request)
        if inParts {
            #expect(!connection.isReadable(milliseconds: 300))
            try connection.send(Array(request[10..<request.count - 5]))
            #expect(!connection.isReadable(milliseconds: 300))
            try connection.send(Array(request[(request.count - 5)...]))
        }
        let answer = try connection.readAnswer()
        #expect(answer.status == 200, "\(answer.text)")
    }

    @Test("each pipelined request has a deadline of its own")
    func pipelinedDeadline() throws {
        let server = try ServerProcess(configuration: "server:\n  timeouts:\n    header-seconds: 2\n    body-seconds: 2\n    idle-seconds: 60\n")
        let connection = try server.connect()
        let request = postBytes(sentPayload("a"))
        // Each head begins behind its predecessor's end and takes most of its time.
        try connection.send(Array(request[..<10]))
        for _ in 0..<3 {
            #expect(!connection.isReadable(milliseconds: 1_200))
            try connection.send(Array(request[10...]) + request[..<10])
            #expect(try connection.readAnswer().status == 200)
        }
    }

    @Test("a request cut short is told of nobody else's path")
    func foreignPath() throws {
        let server = try ServerProcess()
        let other = try server.connect()
        for length in [5, 20, 60] {
            try other.send(requestBytes("GET", "/someone-elses-path"))
            #expect(try other.readAnswer().status == 404)
            let connection = try server.connect()
            try connection.send(Array(postBytes(sentPayload("a"))[..<length]))
            connection.halfClose()
            #expect(!String(decoding: try connection.readToEnd(), as: UTF8.self).contains("someone-elses"))
        }
    }

    /// Resident memory of a process in KiB.
    private func residentKiB(_ process: pid_t) throws -> Int {
        let status = String(decoding: FileManager.default.contents(atPath: "/proc/\(process)/status") ?? Data(), as: UTF8.self)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(Int(line.filter(\.isNumber)))
    }

    @Test("a client that asks for much and reads nothing costs a bounded amount of memory")
    func unread() throws {
        let server = try ServerProcess()
        let writer = try server.connect()
        let padding = String(repeating: "p", count: 60_000)
        for index in 0..<20 {
            try writer.send(postBytes(#"{"request_id":"large","n":\#(index),"padding":"\#(padding)"}"#))
            #expect(try writer.readAnswer().status == 200)
        }
        let before = try residentKiB(server.child.processIdentifier)
        // Over a gigabyte of answers, were they all made at once; some behind a callback whose answer comes later.
        let clients = try (0..<4).map { _ in try server.connect() }
        for (index, client) in clients.enumerated() {
            let pair = postBytes(sentPayload("c\(index)")) + requestBytes("GET", "/v1/requests/large/callbacks?limit=15")
            try client.send((0..<300).flatMap { _ in pair })
        }
        #expect(try clients[3].readAnswer().status == 200)
        #expect(try server.post(sentPayload("meanwhile")).status == 200)
        let grownKiB = try residentKiB(server.child.processIdentifier) - before
        #expect(grownKiB < 128 * 1024, "\(grownKiB) KiB more")
        // And it goes on where it stopped, once somebody reads.
        #expect(try clients[3].readAnswer().body.count > 15 * 60_000)
        for _ in 0..<10 {
            #expect(try clients[3].readAnswer().object()["duplicate"] == "true")
            #expect(try clients[3].readAnswer().body.count > 15 * 60_000)
        }
    }

    @Test("answers go to whoever asked, though others vanish in the middle of theirs")
    func vanishing() throws {
        let server = try ServerProcess()
        let padding = String(repeating: "p", count: 60_000)
        let writer = try server.connect()
        for index in 0..<5 {
            try writer.send(postBytes(#"{"request_id":"large","n":\#(index),"padding":"\#(padding)"}"#))
            #expect(try writer.readAnswer().status == 200)
        }
        let survivors = try (0..<4).map { index in
            let connection = try server.connect()
            try connection.send(postBytes(sentPayload("own-\(index)")))
            #expect(try connection.readAnswer().status == 200)
            return connection
        }
        for round in 0..<30 {
            for index in 0..<4 {
                // Closed with unread answers in its buffer, a connection is reset by the kernel.
                let victim = try server.connect()
                let large = requestBytes("GET", "/v1/requests/large/callbacks")
                try victim.send(large + postBytes(sentPayload("victim-\(round)-\(index)")) + large + large, toleratingClose: true)
                if index % 2 == 0 { _ = victim.isReadable(milliseconds: 20) }
            }
            for (index, connection) in survivors.enumerated() {
                try connection.send(requestBytes("GET", "/v1/requests/own-\(index)"))
                #expect(try connection.readAnswer().object().string("request_id") == "own-\(index)")
            }
        }
        for connection in survivors { #expect(!connection.isReadable(milliseconds: 0)) }
    }

    @Test("connections that come and go leave no descriptor behind")
    func descriptors() throws {
        let server = try ServerProcess()
        func openDescriptors() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(server.child.processIdentifier)/fd").count
        }
        #expect(try server.post(sentPayload("a")).status == 200)
        // What is refused is kept in a directory that stays open from the first one on.
        #expect(try server.post("{}").status == 422)
        let before = try openDescriptors()
        let whole = postBytes(sentPayload("b"))
        for index in 0..<300 {
            let connection = try server.connect()
            switch index % 4 {
            case 0: try connection.send(Array(whole.prefix(index % whole.count)))
            case 1: try connection.send(whole)
            case 2: connection.halfClose()
            default: try connection.send(whole + whole + [0])
            }
        }
        try eventually("all connections to be closed") { try openDescriptors() <= before }
    }
}
