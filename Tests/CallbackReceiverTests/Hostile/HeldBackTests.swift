// Who is held back by others: by a stream of the same connection that is not read, by those before them in line who are gone.
//
// Promises: what others do, or no longer do, keeps nobody from an answer, by a clock that the test turns.
// Must not know: who they are.

import TestSupport
import Testing

@testable import CallbackReceiver

@Suite("Hostile: held back by others")
struct HeldBackTests {
    private func connect(_ still: StillServer) throws -> HTTP2Connection {
        let connection = try HTTP2Connection(port: still.port, settings: [(HTTP2Setting.initialWindowSize, UInt32(0))])
        connection.givesWindowsBack = false
        return connection
    }

    @Test("a stream that is not read is reset when the time for writing is over; a wait beside it goes on")
    func neighbour() throws {
        let still = try StillServer()
        try still.fillPage()
        let connection = try connect(still)
        let unread = try connection.request("GET", StillServer.page)
        try connection.roundTrip()
        try still.advance(seconds: Deadlines.writeSeconds - 5)
        let waiting = try connection.request("GET", "/v1/requests/awaited?wait=50")
        try connection.roundTrip()
        #expect(connection.streams[unread]?.reset == nil)
        try still.advance(seconds: 7)
        try still.serveClient()
        try connection.roundTrip()
        #expect(connection.streams[unread]?.reset == .cancel && connection.streams[waiting]?.reset == nil)
        #expect(try still.exchange(postBytes(callback("awaited"))).status == 200)
        try connection.send(.windowUpdate(waiting, 65_536))
        #expect(try connection.answer(on: waiting).status == 200)
    }

    @Test("exports that are not read give their places back, however much else the connection reads")
    func exports() throws {
        let still = try StillServer()
        try still.fillPage()
        let connection = try connect(still)
        try connection.send(.windowUpdate(0, 1 << 28))
        let exports = try (0..<8).map { _ in try connection.request("GET", "/v1/export") }
        try connection.roundTrip()
        #expect(try still.get("/v1/export").status == 503)
        for _ in 0..<8 {
            try still.advance(seconds: 5)
            let page = try connection.request("GET", StillServer.page)
            try connection.send(.windowUpdate(page, 1 << 22))
            #expect(try connection.answer(on: page).body.count > 100_000)
        }
        try connection.roundTrip()
        for export in exports { #expect(connection.streams[export]?.reset == .cancel) }
        #expect(try still.get("/v1/export").status == 200)
    }

    @Test("one that waits for the connection's window, which others use up, is spared; where that stays closed the connection is left")
    func sharedWindow() throws {
        let still = try StillServer()
        try still.fillPage()
        // Windows of streams are as large as they may be, that of the connection is shared.
        let connection = try HTTP2Connection(port: still.port, settings: [(HTTP2Setting.initialWindowSize, UInt32(0x7FFF_FFFF))])
        connection.givesWindowsBack = false
        let pages = try (0..<90).map { _ in try connection.request("GET", StillServer.page) }
        _ = try connection.request("GET", "/v1/requests/awaited?wait=50")
        // Of each far less than alone it would have to be.
        for _ in 0..<20 {
            try connection.send(.windowUpdate(0, UInt32(Deadlines.writeBytesMin / 4)))
            try connection.roundTrip()
            try still.advance(seconds: 5)
        }
        try connection.roundTrip()
        for page in pages { #expect(connection.streams[page]?.reset == nil) }
        _ = try connection.request("GET", "/v1/requests/awaited?wait=50")
        try connection.roundTrip()
        for _ in 0..<8 { try still.advance(seconds: 5) }
        #expect(still.strangers == 0)
    }

    @Test("one that is read slowly, but is read, goes on")
    func slow() throws {
        let still = try StillServer()
        try still.fillPage()
        let connection = try connect(still)
        try connection.send(.windowUpdate(0, 1 << 28))
        let page = try connection.request("GET", StillServer.page)
        _ = try connection.request("GET", "/v1/requests/awaited?wait=50")
        for _ in 0..<24 {
            try connection.send(.windowUpdate(page, UInt32(Deadlines.writeBytesMin / 5)))
            try connection.roundTrip()
            try still.advance(seconds: 5)
        }
        try connection.roundTrip()
        #expect(connection.streams[page]?.reset == nil && connection.streams[page]?.body.isEmpty == false)
    }

    @Test("behind a batch of streams whose connections are gone the next is asked at once")
    func line() throws {
        let gate = Gate()
        let feed = Feed()
        feed.add("here\n")
        let routes = furtherRoutes([
            "/blocks": { _ in .stream(PreparedStream(kind: .events, source: GateSource(gate: gate), path: [])) },
            "/stream": { _ in feed.stream() },
        ])
        let still = try StillServer(furtherRoute: routes) { $0.loops = 1 }
        let first = try still.connect()
        try first.send(requestBytes("GET", "/blocks"))
        try eventually("it is asked", holds: { gate.waitingCount == 1 })
        var gone = try (0..<2 * AskingLine.batchMax).map { _ in try still.connect() }
        for connection in gone { try connection.send(requestBytes("GET", "/stream")) }
        try still.stir()
        try eventually("they are in line") {
            try still.stir()
            return still.strangers == gone.count + 1
        }
        let last = try still.connect()
        try last.send(requestBytes("GET", "/stream"))
        try still.stir()
        for connection in gone { connection.reset() }
        gone = []
        try eventually("they are gone") {
            try still.stir()
            return still.strangers == 2
        }
        gate.open()
        #expect(try last.readHead().status == 200)
        #expect(try last.readChunk() == Array("here\n".utf8))
    }
}

/// Waits at a gate when it is asked, and has nothing then.
private struct GateSource: StreamSource {
    let gate: Gate

    mutating func next(bytesMax: Int, using scratch: inout QueryScratch) -> StreamPiece {
        gate.pass()
        return .end
    }
}
