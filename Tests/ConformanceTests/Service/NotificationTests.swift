// What the service manager is told (sd_notify(3)), by the real program over a real datagram socket.
//
// Promises: every message is looked at, not only those that are waited for.
// Must not know: how the server finds out what it tells.

import Foundation
import Testing
import TestSupport

@Suite("The service manager is told")
struct NotificationTests {
    @Test("that the server is ready once it listens, with a status that says where, over a path or an abstract name", arguments: [false, true])
    func ready(isAbstract: Bool) throws {
        let manager = try ServiceManagerSocket(isAbstract: isAbstract)
        let server = try ServerProcess(environment: manager.environment())
        let ready = try manager.wait(for: "READY=1")
        #expect(ready.lines.value(of: "STATUS") == "0 records; listening on http://127.0.0.1:\(server.port)")
        #expect(try server.post(sentPayload("a")).status == 200)
        // Before that, only what it is at.
        #expect(manager.messages.dropLast().allSatisfy { $0.count == 1 && $0[0].hasPrefix("STATUS=opening the log in ") })
        #expect(try server.terminate() == .exited(0))
    }

    @Test("that it stops, how long that may take, and how many connections are left; and nothing afterwards")
    func stopping() throws {
        let manager = try ServiceManagerSocket()
        let server = try ServerProcess(configuration: "server:\n  timeouts:\n    drain-seconds: 20\n", environment: manager.environment())
        let connections = try (0..<2).map { _ in try server.connect() }
        for connection in connections {
            try connection.send(requestBytes("GET", "/healthz"))
            _ = try connection.readAnswer()
        }
        server.child.send(signal: SIGTERM)
        let stopping = try manager.wait(for: "STOPPING=1")
        let microseconds = try #require(stopping.lines.value(of: "EXTEND_TIMEOUT_USEC").flatMap { Int($0) })
        #expect(microseconds >= 20_000_000, "as long as the drain may take")
        #expect(stopping.lines.value(of: "STATUS") == "stopping: 2 connections to be answered")
        #expect(try server.child.waitForExit() == .exited(0))
        let after = manager.messages.dropFirst(stopping.count)
        #expect(after.allSatisfy { $0.allSatisfy { $0.hasPrefix("STATUS=stopping: ") } }, "\(after)")
    }

    @Test("that it is alive, as often as is asked for, and how many records there are by then; also while it stops")
    func watchdog() throws {
        let manager = try ServiceManagerSocket()
        let server = try ServerProcess(environment: manager.environment(watchdogMicroseconds: 400_000))
        var count = try manager.wait(for: "READY=1").count
        for _ in 0..<3 { count = try manager.wait(for: "WATCHDOG=1", after: count).count }
        #expect(try server.post(sentPayload("a")).status == 200)
        count = try manager.wait("the new status", after: count) { $0.value(of: "STATUS")?.hasPrefix("1 record; ") == true }.count
        #expect(manager.messages[count - 1].contains("WATCHDOG=1"), "no timer of its own")
        // An idle connection has two seconds.
        let idle = try server.connect()
        try idle.send(requestBytes("GET", "/healthz"))
        _ = try idle.readAnswer()
        server.child.send(signal: SIGTERM)
        count = try manager.wait(for: "STOPPING=1").count
        try manager.wait(for: "WATCHDOG=1", after: count)
        #expect(try server.child.waitForExit() == .exited(0))
    }

    @Test("nothing of a watchdog that is another process's, or none", arguments: [["WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"], ["WATCHDOG_USEC": "0"], ["WATCHDOG_USEC": "x"], [:]])
    func otherWatchdog(variables: [String: String]) throws {
        let manager = try ServiceManagerSocket()
        let server = try ServerProcess(environment: manager.environment().merging(variables) { $1 })
        try manager.wait(for: "READY=1")
        // A reload passes through the same queue: what was to be told before has been.
        server.child.send(signal: SIGHUP)
        let count = try manager.wait(for: "RELOADING=1").count
        try manager.wait(for: "READY=1", after: count)
        #expect(!manager.messages.joined().contains("WATCHDOG=1"))
    }

    @Test(
        "that the server is alive while its disk stalls, and that the disk does not answer",
        .enabled(if: FaultInjector.isAvailable, "no C compiler to build the fault injector"))
    func stalledDisk() throws {
        let (manager, faults) = (try ServiceManagerSocket(), try FaultInjector())
        let server = try ServerProcess(environment: manager.environment(watchdogMicroseconds: 400_000), faults: faults)
        var count = try manager.wait(for: "READY=1").count
        try faults.set(.sync, .hold)
        let syncs = faults.count(.sync)
        let connection = try server.connect()
        try connection.send(postBytes(sentPayload("a")))
        try faults.waitForCall(.sync, after: syncs)
        count = try manager.wait("a status about the disk", after: count) { $0.value(of: "STATUS")?.hasPrefix("the disk has not answered for ") == true }.count
        for _ in 0..<3 { count = try manager.wait(for: "WATCHDOG=1", after: count).count }
        #expect(try server.get("/readyz").status == 503)
        try faults.clear()
        count = try manager.wait("the status as before", after: count) { $0.value(of: "STATUS")?.contains("records; ") == true || $0.value(of: "STATUS")?.hasPrefix("1 record; ") == true }.count
        #expect(try server.terminate() == .exited(0))
    }

    @Test(
        "that the disk stalls, without a watchdog, once a callback is refused for it; the log says it, too, and both say when it is over",
        .enabled(if: FaultInjector.isAvailable, "no C compiler to build the fault injector"))
    func stalledUnwatched() throws {
        let (manager, faults) = (try ServiceManagerSocket(), try FaultInjector())
        let server = try ServerProcess(environment: manager.environment(), faults: faults)
        var count = try manager.wait(for: "READY=1").count
        try faults.set(.sync, .hold)
        #expect(try server.post(sentPayload("a")).status == 503)
        count = try manager.wait("a status about the disk", after: count) { $0.value(of: "STATUS")?.hasPrefix("the disk has not answered for 5 s") == true }.count
        #expect(try server.get("/readyz").status == 503)
        try faults.clear()
        try manager.wait("the status as before", after: count) { $0.value(of: "STATUS")?.contains(" record") == true }
        #expect(try server.terminate() == .exited(0))
        let lines = server.child.standardError.split(separator: "\n")
        #expect(lines.count { $0.contains("level=critical event=\"callbacks are refused with 503 until the disk answers\" milliseconds=") } == 1, "\(lines)")
        #expect(lines.count { $0.contains("level=notice event=\"the disk answers again\" milliseconds=") } == 1, "\(lines)")
    }

    @Test("that the log directory is gone, where no callback comes and somebody asks, or the watchdog is fed; and the log says it once", arguments: [false, true])
    func goneWhileIdle(isWatched: Bool) throws {
        let (manager, place) = (try ServiceManagerSocket(), try TemporaryDirectory())
        let directory = try TemporaryDirectory()
        let environment = isWatched ? manager.environment(watchdogMicroseconds: 400_000) : manager.environment()
        let server = try ServerProcess(directory: directory, environment: environment)
        var count = try manager.wait(for: "READY=1").count
        try FileManager.default.moveItem(atPath: directory.path, toPath: place.path(of: "away"))
        if !isWatched { #expect(try server.get("/metrics").status == 200) }
        count = try manager.wait("a status about the directory", after: count) {
            $0.value(of: "STATUS")?.hasPrefix("callbacks are refused with 503: the log directory was deleted") == true
        }.count
        for _ in 0..<3 { #expect(try server.get("/readyz").status == 503) }
        try FileManager.default.moveItem(atPath: place.path(of: "away"), toPath: directory.path)
        try manager.wait("the status as before", after: count) { $0.value(of: "STATUS")?.contains(" record") == true }
        #expect(try server.terminate() == .exited(0))
        let lines = server.child.standardError.split(separator: "\n")
        #expect(lines.count { $0.contains("level=critical") } == 1 && lines.count { $0.contains("the log takes callbacks again") } == 1, "\(lines)")
    }

    @Test(
        "why callbacks are refused, at once and without a watchdog, and that they are taken again",
        .enabled(if: FaultInjector.isAvailable, "no C compiler to build the fault injector"))
    func blocked() throws {
        let (manager, faults) = (try ServiceManagerSocket(), try FaultInjector())
        let server = try ServerProcess(environment: manager.environment(), faults: faults)
        var count = try manager.wait(for: "READY=1").count
        try faults.set(.sync, .fail(EIO))
        #expect(try server.post(sentPayload("a")).status == 503)
        let blocked = try manager.wait("a status about the log", after: count) { $0.value(of: "STATUS")?.hasPrefix("callbacks are refused with 503: ") == true }
        #expect(blocked.lines.value(of: "STATUS")?.contains("Input/output error") == true, "\(blocked.lines)")
        count = blocked.count
        try faults.clear()
        try manager.wait("the status as before", after: count) { $0.value(of: "STATUS")?.hasPrefix("0 records; listening on ") == true }
    }

    @Test("why a start failed")
    func failedStart() throws {
        let (manager, directory) = (try ServiceManagerSocket(), try TemporaryDirectory())
        let other = try ServerProcess()
        let run = try runToExit(
            ["serve", "--listen", "127.0.0.1:\(other.port)", "--data-directory", directory.path], environment: manager.environment())
        #expect(run.status == .exited(1))
        try manager.wait("the reason") { $0.value(of: "STATUS")?.contains("cannot listen on 127.0.0.1:\(other.port)") == true }
        #expect(!manager.messages.joined().contains("READY=1"))
    }

    @Test("why a configuration is not one to start with, in a sentence without what stands in it")
    func wrongConfiguration() throws {
        let (manager, directory) = (try ServiceManagerSocket(), try TemporaryDirectory())
        let file = try directory.write("callback:\n  keys: [hunter2]\n  kyes: [hunter3]\nnonsense: true\n", to: "wrong.yaml")
        let run = try runToExit(["serve", "--config", file, "--data-directory", directory.path(of: "log")], environment: manager.environment())
        #expect(run.status == .exited(78) && run.error.contains("nonsense"))
        let told = try manager.wait("the reason") { $0.value(of: "STATUS") != nil }.lines
        let status = try #require(told.value(of: "STATUS"))
        #expect(status.hasPrefix("the configuration is wrong: \(file):3: callback.kyes: ") && status.hasSuffix(" (and 1 more)"), "\(status)")
        #expect(manager.messages == [told] && !status.contains("hunter"))
        #expect(!directory.entries.contains("log"))
    }

    @Test(
        "a service manager that cannot be told harms nothing",
        arguments: ["/nonexistent/notify", "relative", "vsock:2:1234", "@", "/" + String(repeating: "n", count: 200), "@nobody-listens-here"])
    func unreachable(address: String) throws {
        let server = try ServerProcess(environment: ["NOTIFY_SOCKET": address, "WATCHDOG_USEC": "100000"])
        #expect(try server.post(sentPayload("a")).status == 200)
        server.child.send(signal: SIGHUP)
        try eventually("the reload", holds: { server.child.standardError.contains("is in force") })
        #expect(try server.terminate() == .exited(0))
        #expect(server.child.standardError.split(separator: "\n").count { $0.contains("service manager") } == 1, "said once")
    }

    @Test("a service manager that reads nothing does not hold the server")
    func deaf() throws {
        let manager = try ServiceManagerSocket()
        let server = try ServerProcess(environment: manager.environment(watchdogMicroseconds: 20_000))
        try manager.wait(for: "READY=1")
        // From here on nobody reads: the socket's queue runs full within moments.
        for number in 0..<200 { #expect(try server.post(sentPayload("a-\(number)")).status == 200) }
        #expect(try server.terminate() == .exited(0))
    }
}
