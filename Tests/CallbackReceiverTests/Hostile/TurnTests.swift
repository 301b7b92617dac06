// Connections that have much to do, beside one that has little: each has its turn.
//
// Promises: shown by order, not by time: the client has its answer while most of the others' work is yet to be done.

import Testing
import TestSupport

@testable import CallbackReceiver

@Suite("Hostile: turns")
struct TurnTests {
    @Test("questions in a row on 20 connections, HTTP/1.1: one question beside them is answered long before they are")
    func pipelined() throws {
        let still = try StillServer()
        // HEAD: the answers are small, so that nothing but work stands in the way.
        let requests = Array([[UInt8]](repeating: requestBytes("HEAD", "/v1/requests/good-1"), count: 1_000).joined())
        let attackers = try (0..<20).map { _ in try still.connect() }
        for attacker in attackers { try attacker.send(requests) }
        try still.askClient()
        var answered = 0
        for attacker in attackers {
            while attacker.isReadable(milliseconds: 0) {
                _ = try attacker.readAnswer(toHEAD: true)
                answered += 1
                // What is answered from here on came after the client's answer.
                if answered > 10_000 { break }
            }
        }
        #expect(answered < 10_000, "\(answered) of 20,000")
    }

    @Test("answers that are made and not sent count as work: between two of a MiB, asked about with HEAD, others have their turn")
    func heads() throws {
        let still = try StillServer()
        try still.fillPage()
        let attacker = try still.connect()
        try attacker.send(Array([[UInt8]](repeating: requestBytes("HEAD", StillServer.page), count: 300).joined()))
        // A callback takes a few turns: read, stored, answered.
        try still.serveClient()
        var answered = 0
        while attacker.isReadable(milliseconds: 0), answered < 40 {
            #expect(try attacker.readAnswer(toHEAD: true).status == 200)
            answered += 1
        }
        #expect(answered < 40, "\(answered) of 300 pages were made before the client's callback was answered")
    }

    @Test("requests that wait for their turn are answered also where the client has closed its side behind them (HTTP/2)")
    func halfClosed() throws {
        let still = try StillServer()
        let client = try HTTP2Connection(port: still.port)
        let streams = (0..<100).map { _ in client.takeStream() }
        try client.send(streams.map { stream in
            .headers(HPACK.block(HTTP2Connection.fields("GET", "/v1/requests/good-1")), on: stream, end: true)
        })
        client.raw.halfClose()
        for stream in streams { #expect(try client.answer(on: stream).status == 200) }
    }
}
