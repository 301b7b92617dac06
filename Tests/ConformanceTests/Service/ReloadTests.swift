// SIGHUP: configuration and secrets are read again, and nobody's connection ends because of it.
//
// Promises: what is changed is seen by what the server answers afterwards, on connections that were open before wherever
// that can be. Must not know: how the server takes a configuration up.

import Foundation
import Testing
import TestSupport

@Suite("SIGHUP")
struct ReloadTests {
    private static let inForce = "the configuration was read again and is in force"
    private static let refused = "the new configuration is not taken up, the one in force stays"

    private func lines(_ server: ServerProcess, _ text: String) -> [Substring] {
        server.child.standardError.split(separator: "\n").filter { $0.contains(text) }
    }

    /// Another configuration, and waits until it is in force.
    private func reconfigure(_ server: ServerProcess, _ configuration: String) throws {
        let before = lines(server, Self.inForce).count
        try server.reconfigure(configuration)
        try eventually("the reload; it said \(server.child.standardError.suffix(500))", holds: { lines(server, Self.inForce).count > before })
    }

    private func status(_ connection: RawConnection, _ bytes: [UInt8]) throws -> Int {
        try connection.send(bytes)
        return try connection.readAnswer().status
    }

    @Test("secrets in the configuration and in files are others, on a connection that was open before")
    func secrets() throws {
        let files = try TemporaryDirectory()
        let file = try files.write("users-secret:old\n", to: "users")
        func configuration(_ key: String) -> String { "callback:\n  keys: [\(key)]\n  users-file: \(file)\n" }
        let server = try ServerProcess(configuration: configuration("old"))
        let connection = try server.connect()
        func post(_ key: String, _ password: String) throws -> Int {
            let credentials = Data("users-secret:\(password)".utf8).base64EncodedString()
            return try status(
                connection,
                requestBytes("POST", "/callback?key=\(key)", fields: ["Authorization: Basic \(credentials)"], body: Array(sentPayload("a").utf8)))
        }
        #expect(try post("old", "old") == 200)
        try reconfigure(server, configuration("new"))
        #expect(try post("old", "old") == 401)
        #expect(try post("new", "old") == 200)
        try files.write("users-secret:new\n", to: "users")
        try reconfigure(server, configuration("new"))
        #expect(try post("new", "old") == 401)
        #expect(try post("new", "new") == 200)
        #expect(!server.child.standardError.contains("users-secret") && !server.child.standardError.contains("new\""))
    }

    @Test("a configuration file that is empty or gone takes nothing away: callbacks are proved as before", arguments: ["", "# nothing\n", nil] as [String?])
    func nothingLeft(text: String?) throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("callback:\n  keys: [goodgoodgood]\n", to: "c.yaml")
        let child = try ChildProcess(
            executable: ServerProcess.executable, arguments: ["serve", "--listen", "127.0.0.1:0", "--config", file, "--data-directory", directory.path(of: "log")])
        let address = try eventually("a listening line") { ServerProcess.addresses(in: child.standardOutput).first }
        let connection = try RawConnection(port: address.port)
        if let text { try directory.write(text, to: "c.yaml") } else { try FileManager.default.removeItem(atPath: file) }
        child.send(signal: SIGHUP)
        try eventually("the refusal; it said \(child.standardError.suffix(500))", holds: { child.standardError.contains(Self.refused) })
        #expect(try status(connection, postBytes(sentPayload("a"))) == 401)
        try directory.write("callback:\n  path: /callback\n", to: "c.yaml")
        child.send(signal: SIGHUP)
        try eventually("the reload", holds: { child.standardError.contains(Self.inForce) })
        try eventually("a warning that nothing is proved any more", holds: { child.standardError.contains("need no proof of origin any more") })
        #expect(try status(connection, postBytes(sentPayload("a"))) == 200)
    }

    @Test("metrics tell the limits that are in force")
    func metrics() throws {
        func configuration(_ connections: Int, _ free: String) -> String {
            "server:\n  connections-max: \(connections)\nlog:\n  free-bytes-min: \(free)\n"
        }
        let server = try ServerProcess(configuration: configuration(100, "1MiB"))
        let before = try server.metrics()
        #expect(before["callback_receiver_connections_max"] == 100 && before["callback_receiver_log_free_min_bytes"] == 1_048_576)
        try reconfigure(server, configuration(50, "2MiB"))
        let after = try server.metrics()
        #expect(after["callback_receiver_connections_max"] == 50 && after["callback_receiver_log_free_min_bytes"] == 2_097_152)
    }

    @Test("limits, times and what the log goes by are others; the API may be opened and closed")
    func settings() throws {
        let server = try ServerProcess(configuration: "api:\n  authentication: none\n")
        let connection = try server.connect()
        #expect(try status(connection, postBytes(sentPayload("a"))) == 200)
        #expect(try status(connection, requestBytes("GET", "/v1/requests/a", host: "example.com")) == 200)
        try reconfigure(server, "callback:\n  path: /hook\nlog:\n  free-bytes-min: 1024GiB\nexpectations:\n  overdue-after-seconds: 7\n")
        #expect(try status(connection, requestBytes("GET", "/v1/requests/a", host: "example.com")) == 401, "the door is closed")
        #expect(try status(connection, postBytes(sentPayload("b"))) == 404)
        #expect(try status(connection, postBytes(sentPayload("b"), to: "/hook")) == 503, "no disk has so much space")
        #expect(try status(connection, requestBytes("GET", "/readyz")) == 503)
        try reconfigure(server, "callback:\n  body-bytes-max: 1KiB\nexpectations:\n  overdue-after-seconds: 7\n")
        try eventually("the log takes callbacks again", holds: { try status(connection, postBytes(sentPayload("b"))) == 200 })
        try connection.send(requestBytes("PUT", "/v1/requests/c", body: Array("{}".utf8)))
        let announced = try connection.readAnswer().object()
        let times = try ["announced_at", "overdue_at"].map { try #require(announced.string($0)) }
        #expect(times[0] != times[1] && seconds(times[1]) - seconds(times[0]) == 7)
        let large = sentPayload("d", String(repeating: "x", count: 2_000))
        #expect(try server.post(large).status == 413, "a new connection has the new limit")
        try reconfigure(server, "server:\n  timeouts:\n    idle-seconds: 1\n")
        #expect(try connection.readToEnd() == [], "one that rests already, too")
    }

    private func seconds(_ time: String) -> Int {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        return Int((formatter.date(from: time)?.timeIntervalSince1970 ?? 0).rounded())
    }

    @Test("connections for each address are counted by the new limit, and those that were not counted leave in peace")
    func addresses() throws {
        let server = try ServerProcess(configuration: "server:\n  connections-per-address-max: none\n")
        let before = try (0..<3).map { _ in try server.connect() }
        for connection in before { #expect(try status(connection, requestBytes("GET", "/healthz")) == 200) }
        try reconfigure(server, "server:\n  connections-per-address-max: 1\n")
        let counted = try server.connect()
        #expect(try status(counted, requestBytes("GET", "/healthz")) == 200)
        #expect(try server.connect().readAnswer().status == 503)
        for connection in before { #expect(try status(connection, requestBytes("GET", "/healthz")) == 200) }
        try reconfigure(server, "server:\n  connections-per-address-max: none\n  connections-max: 17\n")
        #expect(try server.get("/metrics").text.contains("callback_receiver_connections_max 17\n"), "what is watched is what is in force")
        let after = try server.connect()
        #expect(try status(after, requestBytes("GET", "/healthz")) == 200)
        // All of them leave: those of each time.
        #expect(try server.terminate() == .exited(0))
        for connection in before + [counted, after] { #expect(try connection.readToEnd() == []) }
    }

    @Test("the level of log lines is another")
    func level() throws {
        let manager = try ServiceManagerSocket()
        let server = try ServerProcess(configuration: "logging:\n  level: error\n", environment: manager.environment())
        #expect(server.child.standardError == "")
        // The line that is waited for is a notice.
        try reconfigure(server, "logging:\n  level: notice\n")
        let count = manager.messages.count
        try server.reconfigure("logging:\n  level: error\n")
        try manager.wait(for: "READY=1", after: count)
        #expect(try server.terminate() == .exited(0))
        #expect(server.child.standardError.split(separator: "\n").count == 1, "\(server.child.standardError)")
    }

    @Test("what cannot change is named in one line, and stays as it is until a restart")
    func restart() throws {
        let other = try TemporaryDirectory()
        let server = try ServerProcess(listen: nil, configuration: "callback:\n  listen: 127.0.0.1:0\napi:\n  listen: 127.0.0.1:0\n")
        let connection = try server.connect()
        try reconfigure(
            server,
            "callback:\n  listen: 127.0.0.2:0\n  path: /hook\napi:\n  listen: systemd:api\nlog:\n  directory: \(other.path)\nserver:\n  loops: 7\n")
        // The directory is --data-directory's.
        let said = lines(server, "needs a restart")
        #expect(said.count == 1 && said[0].contains("level=warning") && said[0].contains("keys=\"callback.listen, api.listen, server.loops\""), "\(said)")
        #expect(try status(connection, postBytes(sentPayload("a"), to: "/hook")) == 200, "what can change has changed")
        #expect(try server.post(sentPayload("b"), to: "/hook").status == 200)
        #expect(try server.log().records.count == 2)
    }

    @Test("a wrong configuration keeps the old one and says what is wrong; the service manager is told, too")
    func wrong() throws {
        let manager = try ServiceManagerSocket()
        let server = try ServerProcess(configuration: "callback:\n  path: /old\n", environment: manager.environment())
        var count = try manager.wait(for: "READY=1").count
        let connection = try server.connect()
        try server.reconfigure("callback:\n  path: /new\n  keyz: [secret]\nserver:\n  loops: many\n")
        count = try manager.wait(for: "RELOADING=1", after: count).count
        let ready = try manager.wait(for: "READY=1", after: count)
        let problem = "callback.keyz: unknown key; did you mean callback.keys?"
        #expect(ready.lines.value(of: "STATUS")?.contains(problem) == true, "\(ready.lines)")
        try eventually("both problems") { lines(server, Self.refused).count == 2 }
        #expect(lines(server, Self.refused)[0].contains(problem), "\(server.child.standardError)")
        #expect(try status(connection, postBytes(sentPayload("a"), to: "/old")) == 200)
        #expect(try status(connection, postBytes(sentPayload("a"), to: "/new")) == 404)
        // A right one takes the word back.
        try reconfigure(server, "callback:\n  path: /new\n")
        let again = try manager.wait(for: "READY=1", after: ready.count)
        #expect(again.lines.value(of: "STATUS") == "1 record; listening on http://127.0.0.1:\(server.port)")
        #expect(try status(connection, postBytes(sentPayload("a"), to: "/new")) == 200)
    }

    @Test("a reload is told with its time, then that it is over (Type=notify-reload)")
    func protocolOfReload() throws {
        let manager = try ServiceManagerSocket()
        let server = try ServerProcess(environment: manager.environment())
        var count = try manager.wait(for: "READY=1").count
        for _ in 0..<2 {
            var time = timespec()
            unsafe clock_gettime(CLOCK_MONOTONIC, &time)
            server.child.send(signal: SIGHUP)
            let reloading = try manager.wait(for: "RELOADING=1", after: count)
            let told = try #require(reloading.lines.value(of: "MONOTONIC_USEC").flatMap { Int($0) })
            #expect(told >= time.tv_sec * 1_000_000 + time.tv_nsec / 1_000, "systemd takes an older one for that of another reload")
            #expect(reloading.count == count + 1)
            count = try manager.wait(for: "READY=1", after: reloading.count).count
            #expect(count == reloading.count + 1)
        }
    }

    @Test("what would open the server to strangers where it listens now is refused, though it is right after a restart")
    func opening() throws {
        let server = try ServerProcess(listen: nil, configuration: "callback:\n  listen: 0.0.0.0:0\n  keys: [secret]\napi:\n  listen: 127.0.0.1:0\n", addressCount: 2)
        try server.reconfigure("callback:\n  listen: 127.0.0.1:0\napi:\n  listen: 127.0.0.1:0\n")
        try eventually("the refusal", holds: { !lines(server, Self.refused).isEmpty })
        #expect(lines(server, Self.refused)[0].contains("beyond loopback"))
        #expect(try server.post(sentPayload("a")).status == 401)
        #expect(try server.post(sentPayload("a"), to: "/callback?key=secret").status == 200)
        // The same with a socket of systemd, whose address only the server knows.
        let socket = try HeldSocket(host: "0.0.0.0")
        let handed = try ServerProcess(
            listen: nil, configuration: "callback:\n  listen: systemd:web\n  keys: [secret]\napi:\n  listen: 127.0.0.1:0\n", addressCount: 2, sockets: [("web", socket.descriptor)])
        try handed.reconfigure("callback:\n  listen: systemd:web\napi:\n  listen: 127.0.0.1:0\n")
        try eventually("the refusal", holds: { !lines(handed, Self.refused).isEmpty })
        #expect(lines(handed, Self.refused)[0].contains("beyond loopback"))
        #expect(try handed.post(sentPayload("a")).status == 401)
    }

    @Test("whoever follows the log without a token is asked for one when the API asks for them again")
    func narrowed() throws {
        let directory = try TemporaryDirectory()
        let token = try Token.create(in: directory)
        let server = try ServerProcess(directory: directory, configuration: "api:\n  authentication: none\n")
        let stream = try EventStream(server)
        let waiting = try server.connect()
        try waiting.send(requestBytes("GET", "/v1/requests/nobody?wait=50"))
        #expect(!waiting.isReadable(milliseconds: 200))
        try reconfigure(server, "server:\n  timeouts:\n    idle-seconds: 70\n")
        #expect(try stream.next() == nil && stream.hasEnded)
        #expect(try waiting.readAnswer().status == 404)
        #expect(try server.get("/v1/events").status == 401)
        #expect(try server.get("/v1/requests/nobody", token).status == 404)
    }

    @Test("under load, again and again, drops no connection and loses nothing")
    func underLoad() throws {
        func configuration(_ number: Int) -> String {
            "server:\n  timeouts:\n    idle-seconds: \(60 + number % 7)\n    header-seconds: \(10 + number % 3)\nlog:\n  segment-bytes-max: \(1 + number % 2)MiB\n"
        }
        let server = try ServerProcess(configuration: configuration(0))
        var load = CallbackLoad(prefix: "reload")
        var reloads = 0
        try load.run(on: server, connections: 8, withinSeconds: 60) { load in
            if load.order.count >= 50 * (reloads + 1) {
                reloads += 1
                try server.reconfigure(configuration(reloads))
            }
            return reloads >= 20
        }
        #expect(load.refusalCount == 0)
        #expect(load.violations(in: try server.log()) == [])
        #expect(!lines(server, Self.inForce).isEmpty)
        #expect(try server.terminate() == .exited(0))
    }

    @Test("right after the start it is a reload, and never the end")
    func early() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("callback:\n  path: /old\n", to: "c.yaml")
        let child = try ChildProcess(
            executable: ServerProcess.executable, arguments: ["serve", "--listen", "127.0.0.1:0", "--config", file, "--data-directory", directory.path(of: "log")])
        let address = try eventually("a listening line") { ServerProcess.addresses(in: child.standardOutput).first }
        child.send(signal: SIGHUP)
        try eventually("the reload", holds: { child.standardError.contains(Self.inForce) })
        let connection = try RawConnection(port: address.port)
        #expect(try status(connection, postBytes(sentPayload("a"), to: "/old")) == 200)
        child.send(signal: SIGTERM)
        #expect(try child.waitForExit() == .exited(0))
    }
}
