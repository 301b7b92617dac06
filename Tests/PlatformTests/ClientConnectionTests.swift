// Connections that this program opens: they wait as long as they are told, and no longer.

import Foundation
import Platform
import Testing

@Suite struct ClientConnectionTests {
    private static func listener() throws -> Listener {
        try #require(try Listener.listen(on: SocketAddress(host: "127.0.0.1", port: 0)).first)
    }

    /// The other side of the next connection.
    private static func accepted(_ listener: Listener) throws -> Int32 {
        while true {
            do throws(SystemError) { return try listener.accept().fd } catch { guard error.isWouldBlock else { throw error } }
        }
    }

    @Test("bytes go both ways, and the peer's end is told")
    func exchange() throws {
        let listener = try Self.listener()
        let connection = try ClientConnection(to: listener.address, milliseconds: 5_000, interruption: .none)
        let peer = try Self.accepted(listener)
        try connection.send(Array("ping".utf8), milliseconds: 5_000)
        var buffer = [UInt8](repeating: 0, count: 16)
        while Socket.receive(peer, into: &buffer, from: 0) == .wouldBlock {}
        #expect(String(decoding: buffer[..<4], as: UTF8.self) == "ping")
        #expect(Socket.send(peer, Array("pong!".utf8), from: 0) == .bytes(5))
        guard case .bytes(5) = try connection.receive(into: &buffer, milliseconds: 5_000) else { throw CancellationError() }
        #expect(String(decoding: buffer[..<5], as: UTF8.self) == "pong!")
        Socket.close(peer)
        guard case .end = try connection.receive(into: &buffer, milliseconds: 5_000) else { throw CancellationError() }
    }

    @Test("a peer that says nothing is a time that is up; one that takes nothing, a failure")
    func silence() throws {
        let listener = try Self.listener()
        let connection = try ClientConnection(to: listener.address, milliseconds: 5_000, interruption: .none)
        var buffer = [UInt8](repeating: 0, count: 16)
        guard case .timedOut = try connection.receive(into: &buffer, milliseconds: 20) else { throw CancellationError() }
        // More than both sides' kernels keep.
        let failure = #expect(throws: SystemError.self) {
            for _ in 0..<64 { try connection.send([UInt8](repeating: 0, count: 1_048_576), milliseconds: 20) }
        }
        #expect(failure?.operation == "send")
    }

    @Test("nobody there is a failure with its reason")
    func refused() throws {
        var listener: Listener? = try Self.listener()
        let address = try #require(listener).address
        listener = nil
        let failure = #expect(throws: SystemError.self) { try ClientConnection(to: address, milliseconds: 5_000, interruption: .none) }
        #expect(failure?.operation == "connect" && failure?.path == address.text && failure?.reason == "Connection refused")
        let nameless = #expect(throws: SystemError.self) {
            try ClientConnection(to: SocketAddress(host: "no-such-host.invalid", port: 1), milliseconds: 5_000, interruption: .none)
        }
        // As the machine has a name server, or none.
        #expect(nameless?.operation == "getaddrinfo" && ["Name or service not known", "Temporary failure in name resolution"].contains(nameless?.reason))
    }

    @Test("a wake-up ends every wait at once, and the next ones too")
    func interrupted() throws {
        let listener = try Self.listener()
        let wakeup = try Wakeup()
        let interruption = Interruption(wakeup: wakeup, watchesOutput: false)
        #expect(!interruption.sleep(milliseconds: 1))
        let connection = try ClientConnection(to: listener.address, milliseconds: 5_000, interruption: interruption)
        Thread.detachNewThread { wakeup.signal() }
        var buffer = [UInt8](repeating: 0, count: 16)
        for _ in 0..<2 {
            guard case .interrupted = try connection.receive(into: &buffer, milliseconds: 60_000) else { throw CancellationError() }
            #expect(interruption.sleep(milliseconds: 60_000))
        }
    }
}
