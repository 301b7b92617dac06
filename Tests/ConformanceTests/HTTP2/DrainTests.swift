// RFC 9113 §6.8: a stop says GOAWAY, and loses no stream that was accepted.
//
// Promises: what is accepted is what the last GOAWAY names; everything at or below is answered and in the log once,
// nothing above is. The stop is sent while something is known to be under way.
// Must not know: how long a drain takes.

import Foundation
import Testing
import TestSupport

@Suite("RFC 9113 §6.8: GOAWAY at a stop")
struct DrainTests {
    /// Expects a clean end of connection and process, and each identifier once in a sound log.
    private func expectClean(_ server: ServerProcess, _ connection: HTTP2Connection, _ identifiers: [String], sourceLocation: SourceLocation = #_sourceLocation)
        throws
    {
        try connection.readToEnd()
        connection.raw.halfClose()
        #expect(connection.goAways.last?.code == .noError, "\(connection.goAways)", sourceLocation: sourceLocation)
        #expect(try server.child.waitForExit() == .exited(0), sourceLocation: sourceLocation)
        let log = try server.log()
        #expect(log.violations() == [], sourceLocation: sourceLocation)
        for identifier in identifiers { #expect(log.records(of: identifier).count == 1, sourceLocation: sourceLocation) }
    }

    @Test("RFC 9113 §6.8: an idle connection is told GOAWAY and closed")
    func idle() throws {
        let server = try ServerProcess()
        let connection = try HTTP2Connection(port: server.port)
        let stream = try connection.request("POST", "/callback", body: Array(sentPayload("a").utf8))
        #expect(try connection.answer(on: stream).status == 200)
        server.child.send(signal: SIGTERM)
        try expectClean(server, connection, ["a"])
        #expect(try #require(connection.goAways.last).last >= stream)
    }

    @Test("RFC 9113 §6.8: streams whose requests wait for the disk are answered", .enabled(if: FaultInjector.isAvailable, "no C compiler"))
    func inFlight() throws {
        let faults = try FaultInjector()
        let server = try ServerProcess(faults: faults)
        let connection = try HTTP2Connection(port: server.port)
        let syncs = faults.count(.sync)
        try faults.set(.sync, .hold)
        let identifiers = (0..<20).map { "r\($0)" }
        let streams = try identifiers.map { try connection.request("POST", "/callback", body: Array(sentPayload($0).utf8)) }
        try faults.waitForCall(.sync, after: syncs)
        server.child.send(signal: SIGTERM)
        try connection.read { !$0.goAways.isEmpty }
        #expect(server.child.exitStatus == nil)
        #expect(streams.allSatisfy { connection.streams[$0]?.fields == nil })
        try faults.clear()
        for (stream, identifier) in zip(streams, identifiers) {
            #expect(try connection.answer(on: stream).object().string("request_id") == identifier)
        }
        try expectClean(server, connection, identifiers)
        #expect(try #require(connection.goAways.last).last >= streams[19])
    }

    @Test("RFC 9113 §6.8: streams that are half received are read to their end and answered")
    func halfReceived() throws {
        let server = try ServerProcess()
        let connection = try HTTP2Connection(port: server.port)
        let identifiers = (0..<5).map { "r\($0)" }
        let bodies = identifiers.map { Array(sentPayload($0).utf8) }
        let streams = try bodies.map { _ in try connection.open(HTTP2Connection.fields("POST", "/callback")) }
        for (stream, body) in zip(streams, bodies).dropFirst() { try connection.send(.data(Array(body.dropLast(3)), on: stream)) }
        try connection.roundTrip()
        server.child.send(signal: SIGTERM)
        try connection.read { !$0.goAways.isEmpty }
        try connection.send(.data(bodies[0], on: streams[0], end: true))
        for (stream, body) in zip(streams, bodies).dropFirst() { try connection.send(.data(Array(body.suffix(3)), on: stream, end: true)) }
        for stream in streams { #expect(try connection.answer(on: stream).status == 200) }
        try expectClean(server, connection, identifiers)
    }

    @Test("RFC 9113 §6.8: an answer that waits for its window is delivered when that opens")
    func shutWindow() throws {
        let server = try ServerProcess()
        let connection = try HTTP2Connection(port: server.port, settings: [(HTTP2Setting.initialWindowSize, 10)])
        connection.givesWindowsBack = false
        let stream = try connection.request("POST", "/callback", body: Array(sentPayload("a").utf8))
        try connection.read { $0.streams[stream]?.body.count == 10 }
        server.child.send(signal: SIGTERM)
        try connection.read { !$0.goAways.isEmpty }
        try connection.send(.windowUpdate(stream, 10_000))
        #expect(try connection.answer(on: stream).object().string("request_id") == "a")
        try expectClean(server, connection, ["a"])
    }

    @Test("RFC 9113 §6.8: while streams keep coming, each that the last GOAWAY names is answered, and no other is executed")
    func underLoad() throws {
        let server = try ServerProcess()
        let connection = try HTTP2Connection(port: server.port)
        var identifiers: [UInt32: String] = [:]
        func send() throws {
            let identifier = "r\(identifiers.count)"
            let stream = connection.takeStream()
            identifiers[stream] = identifier
            try connection.send(.headers(postBlock(), on: stream, end: false), .data(Array(sentPayload(identifier).utf8), on: stream, end: true))
        }
        for _ in 0..<50 { try send() }
        try connection.roundTrip()
        server.child.send(signal: SIGTERM)
        // New streams for as long as the client has not heard of the stop, and some more that are on their way by then.
        while connection.goAways.isEmpty, !connection.hasEnded {
            // Far fewer at a time than the server allows: what ends the connection is the stop alone.
            if identifiers.keys.filter({ connection.streams[$0]?.isEnded != true }).count < 60 { try send() }
            while connection.raw.isReadable(milliseconds: 1), try connection.step() {}
        }
        for _ in 0..<20 { try send() }
        try connection.readToEnd()
        connection.raw.halfClose()
        let last = try #require(connection.goAways.last)
        #expect(last.code == .noError)
        #expect(try server.child.waitForExit() == .exited(0))
        let log = try server.log()
        #expect(log.violations() == [])
        for (stream, identifier) in identifiers {
            let isRefused = connection.streams[stream]?.reset == .refusedStream
            if stream <= last.last, !isRefused {
                #expect(
                    connection.streams[stream]?.answer?.status == 200,
                    "stream \(stream), last \(last.last), \(String(describing: connection.streams[stream]?.reset))")
                #expect(log.records(of: identifier).count == 1, "\(identifier)")
            } else {
                #expect(connection.streams[stream]?.answer == nil, "stream \(stream), last \(last.last)")
                #expect(log.records(of: identifier).isEmpty, "\(identifier)")
            }
        }
    }

    @Test("API §2: a stream that never ends holds the stop no longer than drain-seconds")
    func drainSeconds() throws {
        let server = try ServerProcess(configuration: "server:\n  timeouts:\n    drain-seconds: 1\n")
        let connection = try HTTP2Connection(port: server.port)
        let stream = try connection.open(HTTP2Connection.fields("POST", "/callback"))
        try connection.send(.data([0x7B], on: stream))
        try connection.roundTrip()
        server.child.send(signal: SIGTERM)
        // The body's own timeout is 30 s: an end before it is the drain's doing.
        #expect(try server.child.waitForExit(withinSeconds: 8) == .exited(0))
        try connection.readToEnd()
        // Given up, it is told so or not; it is never said to be stored.
        #expect(!connection.goAways.isEmpty)
        #expect(connection.streams[stream]?.answer?.status != 200)
    }
}
