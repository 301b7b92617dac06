// Sockets that a service manager hands over (sd_listen_fds(3)), to the real program: this test in systemd's place, and
// systemd-socket-activate where it is installed.
//
// Promises: a socket stays the test's; what is refused is refused with 78 and one line that names the remedy.
// Must not know: how the server takes a socket over.

import Foundation
import Testing
import TestSupport

@Suite("Sockets handed over")
struct SocketActivationTests {
    private static let both = "callback:\n  listen: systemd:callback\napi:\n  listen: systemd:api\n"

    @Test("serve what their names say, however they are ordered, and the listening lines are true")
    func named() throws {
        let (callback, api) = (try HeldSocket(), try HeldSocket())
        let server = try ServerProcess(
            listen: nil, configuration: Self.both, addressCount: 2,
            sockets: [("api", api.descriptor), ("other", try HeldSocket().descriptor), ("callback", callback.descriptor)])
        #expect(server.addresses.map(\.port) == [callback.port, api.port], "the callback's first")
        let posted = try RawConnection(port: callback.port)
        try posted.send(postBytes(sentPayload("a")))
        #expect(try posted.readAnswer().status == 200)
        try posted.send(requestBytes("GET", "/v1/requests/a"))
        #expect(try posted.readAnswer().status == 404, "what the internet reaches serves the callback alone")
        let asked = try RawConnection(port: api.port)
        try asked.send(requestBytes("GET", "/v1/requests/a"))
        #expect(try asked.readAnswer().status == 200)
        try eventually("what nobody listens on is said", holds: { server.child.standardError.contains("socket=systemd:other") })
    }

    @Test("one name for both is one listener for both; several sockets may have one name")
    func shared() throws {
        let sockets = [try HeldSocket(), try HeldSocket()]
        let server = try ServerProcess(listen: "systemd:web", addressCount: 2, sockets: sockets.map { ("web", $0.descriptor) })
        #expect(server.addresses.map(\.port) == sockets.map(\.port))
        for (index, socket) in sockets.enumerated() {
            let connection = try RawConnection(port: socket.port)
            try connection.send(postBytes(sentPayload("a-\(index)")))
            #expect(try connection.readAnswer().status == 200)
            try connection.send(requestBytes("GET", "/v1/requests/a-\(index)"))
            #expect(try connection.readAnswer().status == 200)
        }
    }

    @Test("work with several loops, all of which accept from them")
    func loops() throws {
        let socket = try HeldSocket()
        let server = try ServerProcess(
            listen: "systemd:web", configuration: "server:\n  loops: 4\n", sockets: [("web", socket.descriptor)])
        let connections = try (0..<40).map { _ in try server.connect() }
        for (index, connection) in connections.enumerated() { try connection.send(postBytes(sentPayload("a-\(index)"))) }
        for connection in connections { #expect(try connection.readAnswer().status == 200) }
        #expect(try server.terminate() == .exited(0))
        #expect(throws: Never.self) { try RawConnection(port: socket.port) }
    }

    private func refusal(_ configuration: String, _ sockets: [(name: String, descriptor: Int32)]) throws -> String {
        let directory = try TemporaryDirectory()
        let file = try directory.write(configuration, to: "c.yaml")
        let child = try ChildProcess(
            executable: ServerProcess.executable,
            arguments: ["serve", "--config", file, "--data-directory", directory.path(of: "log")], sockets: sockets)
        #expect(try child.waitForExit() == .exited(78), "\(child.standardError)")
        #expect(child.standardOutput == "")
        return child.standardError.split(separator: "\n").last.map(String.init) ?? ""
    }

    @Test("are missed with what to do: none, no such name, no socket that listens")
    func refused() throws {
        #expect(
            try refusal(Self.both, [])
                == "callback-receiver: callback.listen: systemd:callback is a socket of systemd, and none was handed over: the server was not started by systemd, or "
                + "without its socket unit (Sockets= in the service, Service= in the socket); write HOST:PORT to listen without one")
        let (one, other) = (try HeldSocket(), try HeldSocket())
        #expect(
            try refusal(Self.both, [("callback", one.descriptor), ("web", other.descriptor)])
                == "callback-receiver: api.listen: systemd:api is not there; systemd handed over systemd:callback, systemd:web: write one of these, or "
                + "FileDescriptorName=api in the socket unit")
        for (kind, remedy) in [
            (HeldSocket.Kind.datagram, "is no stream socket; write ListenStream= in the socket unit, not ListenDatagram="),
            (.bound, "does not listen: it is one connection; write Accept=no in the socket unit"),
            (.local, "is no TCP socket; write an address and a port, for example ListenStream=127.0.0.1:8080, in the socket unit"),
        ] {
            let socket = try HeldSocket(kind)
            #expect(try refusal(Self.both, [("callback", socket.descriptor), ("api", other.descriptor)]) == "callback-receiver: callback.listen: systemd:callback \(remedy)")
        }
    }

    @Test("count as beyond loopback by what they are bound to")
    func beyondLoopback() throws {
        let (everywhere, local) = (try HeldSocket(host: "0.0.0.0"), try HeldSocket())
        let sockets = [("callback", everywhere.descriptor), ("api", local.descriptor)] as [(name: String, descriptor: Int32)]
        #expect(try refusal(Self.both, sockets).contains("callback.listen is bound to 0.0.0.0:\(everywhere.port), which is beyond loopback, and nothing proves who posts"))
        // With a proof it listens, and the API's door is as narrow as its own socket.
        let proved = "callback:\n  listen: systemd:callback\n  keys: [secret]\napi:\n  listen: systemd:api\n"
        let server = try ServerProcess(listen: nil, configuration: proved, addressCount: 2, sockets: sockets)
        let connection = try RawConnection(port: local.port)
        try connection.send(requestBytes("GET", "/v1/requests/a"))
        #expect(try connection.readAnswer().status == 404)
        #expect(try server.terminate() == .exited(0))
        // The API beyond loopback answers nobody without a token.
        let turned = [("callback", local.descriptor), ("api", everywhere.descriptor)] as [(name: String, descriptor: Int32)]
        let open = try ServerProcess(listen: nil, configuration: Self.both, addressCount: 2, sockets: turned)
        let asked = try RawConnection(port: everywhere.port)
        try asked.send(requestBytes("GET", "/v1/requests/a"))
        #expect(try asked.readAnswer().status == 401)
        #expect(try open.terminate() == .exited(0))
    }

    @Test("of another process are none")
    func otherProcess() throws {
        let directory = try TemporaryDirectory()
        let run = try runToExit(
            ["serve", "--listen", "systemd:web", "--data-directory", directory.path], environment: ["LISTEN_FDS": "1", "LISTEN_PID": "1"])
        #expect(run.status == .exited(78))
        #expect(run.error.contains("and none was handed over"))
    }

    @Test("config check and config show know them")
    func configuration() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(Self.both, to: "c.yaml")
        #expect(try runToExit(["config", "check", "--config", file]).status == .exited(0))
        let shown = try runToExit(["config", "show", "--config", file]).output
        #expect(shown.contains("listen: systemd:callback ") && shown.contains("listen: systemd:api "))
        let again = try directory.write(shown, to: "again.yaml")
        #expect(try runToExit(["config", "check", "--config", again]).status == .exited(0))
    }

    @Test(
        "come from systemd's own program, too",
        .enabled(if: InstalledProgram.path(of: "systemd-socket-activate") != nil, "systemd-socket-activate is not installed"))
    func systemd() throws {
        let (directory, port) = (try TemporaryDirectory(), try freePort())
        let program = try #require(InstalledProgram.path(of: "systemd-socket-activate"))
        let child = try ChildProcess(
            executable: program,
            arguments: [
                "--listen=127.0.0.1:\(port)", "--fdname=web", ServerProcess.executable, "serve", "--listen", "systemd:web", "--data-directory",
                directory.path,
            ])
        // It starts the server with the first connection.
        let connection = try eventually("somebody listens", { try? RawConnection(port: port) })
        try connection.send(postBytes(sentPayload("a")))
        #expect(try connection.readAnswer().status == 200)
        try eventually("the listening line", holds: { ServerProcess.addresses(in: child.standardOutput).map(\.port) == [port] })
        child.send(signal: SIGTERM)
        #expect(try child.waitForExit() == .exited(0))
    }
}
