// The units in deploy/systemd: what systemd itself says of them, and that they go with the configuration they are shipped with.
//
// Promises: the files are judged as they are, but for the program's path, which need not be installed here. That the service does
// its job under them is shown by PackageTests, in a machine with systemd.
// Must not know: what a directive means to systemd.

import Foundation
import TestSupport
import Testing

@Suite("The units for systemd", .enabled(if: InstalledProgram.path(of: "systemd-analyze") != nil, "no systemd-analyze"))
struct UnitTests {
    private static let deploy = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "deploy")

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: deploy.appending(path: path), encoding: .utf8)
    }

    /// Every value of the directive, in order.
    private static func values(_ directive: String, in path: String) throws -> [String] {
        try text(path).split(separator: "\n").filter { $0.hasPrefix(directive + "=") }.map { String($0.dropFirst(directive.count + 1)) }
    }

    /// The units in a directory of their own, with a program that is there.
    /// - Parameter dropIn: a file of deploy/systemd that goes into the service's drop-ins.
    private static func installed(dropIn: String? = nil, editing edit: (String) -> String = { $0 }) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        for name in ["callback-receiver.service", "callback-receiver.socket", "callback-receiver-api.socket"] {
            let unit = try text("systemd/" + name).replacing("=/usr/bin/callback-receiver", with: "=" + ServerProcess.executable)
            try directory.write(edit(unit), to: name)
        }
        if let dropIn {
            let folder = directory.path(of: "callback-receiver.service.d")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try text("systemd/" + dropIn).write(toFile: folder + "/" + dropIn, atomically: true, encoding: .utf8)
        }
        return directory
    }

    private static func analyze(_ arguments: [String]) throws -> (status: TestSupport.ExitStatus, said: String) {
        let result = try InstalledProgram.run(InstalledProgram.path(of: "systemd-analyze") ?? "", arguments)
        return (result.status, result.output + result.error)
    }

    private static func verify(_ directory: TemporaryDirectory) throws -> (status: TestSupport.ExitStatus, said: String) {
        try analyze(["verify", "--man=no"] + directory.entries.filter { !$0.hasSuffix(".d") }.map(directory.path(of:)))
    }

    /// The threshold is in tenths.
    private static func security(_ directory: TemporaryDirectory, threshold: Int) throws -> (status: TestSupport.ExitStatus, said: String) {
        try analyze(["security", "--offline=true", "--no-pager", "--threshold=\(threshold)", directory.path(of: "callback-receiver.service")])
    }

    @Test("are without fault to systemd-analyze verify, which says nothing")
    func verified() throws {
        let result = try Self.verify(Self.installed())
        #expect(result.status == .exited(0) && result.said == "")
        // It would say so.
        let wrong = try Self.verify(Self.installed { $0.replacing("PrivateTmp=yes", with: "PrivateTemp=yes") })
        #expect(wrong.said.contains("PrivateTemp"))
    }

    @Test("are exposed at most 1.0 of 10 to systemd-analyze security")
    func exposure() throws {
        let result = try Self.security(Self.installed(), threshold: 10)
        #expect(result.status == .exited(0), "\(result.said.suffix(300))")
        let open = try Self.security(Self.installed { $0.replacing("CapabilityBoundingSet=\n", with: "") }, threshold: 10)
        #expect(open.status != .exited(0))
    }

    @Test("with the drop-in for a server that listens by itself are without fault, and give the network back and nothing else")
    func listeningByItself() throws {
        let directory = try Self.installed(dropIn: "listen-by-itself.conf")
        let result = try Self.verify(directory)
        #expect(result.status == .exited(0) && result.said == "")
        #expect(try Self.security(directory, threshold: 15).status == .exited(0))
        #expect(try Self.security(directory, threshold: 10).status != .exited(0), "the drop-in was read")
    }

    @Test("with the drop-in for notify-reload are without fault to a systemd that knows it, which is said by one that does not")
    func notifyReload() throws {
        let version = try #require(try Self.analyze(["--version"]).said.firstMatch(of: /systemd (\d+)/).flatMap { Int($0.1) })
        let said = try Self.verify(Self.installed(dropIn: "notify-reload.conf")).said
        if version >= 253 { #expect(said == "") } else { #expect(said.contains("notify-reload.conf") && said.contains("notify-reload\n"), "\(said)") }
    }

    @Test("hand over the sockets that the shipped configuration takes over, with the key, where its log is")
    func together() throws {
        let configuration = try Self.text("debian/callback-receiver.yaml")
        for (socket, name) in [("callback-receiver.socket", "callback"), ("callback-receiver-api.socket", "api")] {
            #expect(try Self.values("FileDescriptorName", in: "systemd/" + socket) == [name])
            #expect(try Self.values("Service", in: "systemd/" + socket) == ["callback-receiver.service"])
            #expect(configuration.contains("\n\(name):\n") && configuration.contains("\n  listen: systemd:\(name)\n"))
        }
        let api = try #require(try Self.values("ListenStream", in: "systemd/callback-receiver-api.socket").first)
        #expect(configuration.contains("\n  url: http://\(api)\n"))
        #expect(try Self.text("monitoring/scrape.yaml").contains("\n      - targets: [\"\(api)\"]\n"))
        #expect(try Self.values("LoadCredential", in: "systemd/callback-receiver.service") == ["keys:/etc/callback-receiver/keys"])
        #expect(configuration.contains("\n  keys-file: keys\n"))
        let state = try #require(try Self.values("StateDirectory", in: "systemd/callback-receiver.service").first)
        #expect(configuration.contains("\n  directory: /var/lib/\(state)\n"))
    }

    @Test("give a stop more time than the server takes by default")
    func stopping() throws {
        let shown = try runToExit(["config", "show"]).output
        let drain = try #require(shown.firstMatch(of: /drain-seconds: (\d+)/).flatMap { Int($0.1) })
        let stop = try #require(try Self.values("TimeoutStopSec", in: "systemd/callback-receiver.service").first.flatMap { Int($0) })
        #expect(stop >= drain + 10)
    }
}
