// A real proxy, started with the example file that users copy.
//
// Promises: the example is used as it is, but for addresses, ports, certificate and paths, each of which must
// stand in it exactly as the table here says; the proxy runs as this user in the foreground on 127.0.0.1, keeps
// every file it writes in `directory`, and ends with its object.
// Must not know: what the tests send through it.

import Foundation
import TestSupport

/// Which proxy, and what is particular to it.
enum ProxyKind: String, CaseIterable {
    case nginx, caddy, haproxy

    /// Those that this machine has.
    static let installed = allCases.filter(\.isInstalled)

    /// openssl makes the certificate, curl is the client.
    var isInstalled: Bool {
        [rawValue, "openssl", "curl"].allSatisfy { InstalledProgram.path(of: $0) != nil }
    }

    /// Whether it waits for callback-receiver while that does not run. The README says which do.
    var waitsForRestart: Bool { self != .nginx }
    /// Which HTTP its example speaks to callback-receiver, as `Upstream` names it.
    var upstreamVersion: String { self == .caddy ? "HTTP/2" : "HTTP/1.1" }
    /// Whether it sends a POST again that was sent on a connection which ended without an answer.
    var sendsAgain: Bool { self != .caddy }

    /// The example in the repository.
    var example: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "deploy/proxies/" + (self == .nginx ? "nginx.conf" : self == .caddy ? "Caddyfile" : "haproxy.cfg"))
    }
}

/// A running proxy.
final class Proxy: Sendable {
    /// The host name in the examples.
    static let host = "callbacks.example.com"

    let kind: ProxyKind
    /// Where it listens for TLS.
    let port: UInt16
    let child: ChildProcess
    /// Everything it writes is here, and its configuration.
    let directory: TemporaryDirectory

    /// Starts it, and waits until it accepts connections.
    /// - Parameters:
    ///   - upstream: the port of 127.0.0.1 that it passes callbacks to.
    ///   - serverOption: what the example says may stand at the end of HAProxy's server line.
    init(_ kind: ProxyKind, upstream: UInt16, serverOption: String = "") throws {
        self.kind = kind
        directory = try TemporaryDirectory()
        try Self.makeCertificate(in: directory)
        var last: any Error = TestFailure.unreadable("not tried")
        // A port that was free may be taken by another test before the proxy has it.
        for _ in 0..<5 {
            let port = try freePort()
            let arguments = try Self.configure(kind, port: port, upstream: "\(upstream)\(serverOption)", in: directory)
            let child = try ChildProcess(
                executable: InstalledProgram.path(of: kind.rawValue) ?? kind.rawValue, arguments: arguments.run,
                environment: ["HOME": directory.path, "XDG_DATA_HOME": directory.path, "XDG_CONFIG_HOME": directory.path])
            do {
                try eventually("\(kind) to listen: \(child.standardError)") {
                    if let status = child.exitStatus { throw TestFailure.unreadable("\(kind) ended, \(status): \(child.standardError)") }
                    return (try? RawConnection(port: port)) != nil
                }
                (self.port, self.child) = (port, child)
                return
            } catch { last = error }
        }
        throw last
    }

    /// Runs the program's own check on the example.
    static func check(_ kind: ProxyKind) throws -> (status: ExitStatus, output: String, error: String) {
        let directory = try TemporaryDirectory()
        try makeCertificate(in: directory)
        let arguments = try configure(kind, port: 443, upstream: "8080", in: directory)
        return try InstalledProgram.run(
            InstalledProgram.path(of: kind.rawValue) ?? kind.rawValue, arguments.check, environment: ["HOME": directory.path])
    }

    /// Stops it and returns everything it has written: its files, standard output and standard error.
    func stopAndCollect() throws -> [String: String] {
        child.send(signal: SIGTERM)
        try child.waitForExit()
        var texts = ["standard output": child.standardOutput, "standard error": child.standardError]
        let names = FileManager.default.enumerator(atPath: directory.path)?.compactMap { $0 as? String } ?? []
        for name in names {
            guard let data = FileManager.default.contents(atPath: directory.path(of: name)) else { continue }
            texts[name] = String(decoding: data, as: UTF8.self)
        }
        return texts
    }

    /// A key and a certificate for `host` that it signs itself, apart and in one file.
    private static func makeCertificate(in directory: TemporaryDirectory) throws {
        let (certificate, key) = (directory.path(of: "certificate.pem"), directory.path(of: "key.pem"))
        let made = try InstalledProgram.run(
            InstalledProgram.path(of: "openssl") ?? "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=\(host)", "-addext", "subjectAltName=DNS:\(host)", "-keyout", key, "-out", certificate,
            ])
        guard made.status == .exited(0) else { throw TestFailure.unreadable("openssl: \(made.error)") }
        try directory.write(
            String(contentsOfFile: certificate, encoding: .utf8) + String(contentsOfFile: key, encoding: .utf8), to: "both.pem")
    }

    /// Writes the example with its places replaced, and what each program needs around it.
    /// - Returns: the arguments to run it, and to have it checked.
    private static func configure(
        _ kind: ProxyKind, port: UInt16, upstream: String, in directory: TemporaryDirectory
    ) throws -> (run: [String], check: [String]) {
        var text = try String(contentsOf: kind.example, encoding: .utf8)
        func replace(_ place: String, _ value: String) throws {
            guard text.contains(place) else { throw TestFailure.unreadable("\(kind.example.lastPathComponent) has no \(place)") }
            text.replace(place, with: value)
        }
        let file = directory.path(of: kind.example.lastPathComponent)
        let (certificate, key) = (directory.path(of: "certificate.pem"), directory.path(of: "key.pem"))
        try replace("127.0.0.1:8080", "127.0.0.1:\(upstream)")
        switch kind {
        case .nginx:
            try replace("listen 443", "listen 127.0.0.1:\(port)")
            // Not every machine has IPv6.
            try replace("listen [::]:443", "listen 127.0.0.2:\(port)")
            try replace("/etc/letsencrypt/live/\(host)/fullchain.pem", certificate)
            try replace("/etc/letsencrypt/live/\(host)/privkey.pem", key)
            try replace("/var/log/nginx/", directory.path + "/")
            try directory.write(text, to: kind.example.lastPathComponent)
            // The rest as Debian has it, with an error log that says more.
            let user = geteuid() == 0 ? "user root;" : ""
            let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(directory.path)/\($0);" }
            let main = try directory.write(
                """
                \(user) daemon off; master_process off; pid \(directory.path)/pid; error_log \(directory.path)/error.log info;
                events { worker_connections 768; }
                http { access_log \(directory.path)/access.log; \(temporary.joined(separator: " ")) include \(file); }
                """, to: "main.conf")
            let all = ["-p", directory.path, "-c", main, "-e", directory.path(of: "early-error.log")]
            return (all, all + ["-t"])
        case .caddy:
            try replace("https://\(host):443", "https://\(host):\(port)")
            try replace("bind 0.0.0.0 [::]", "bind 127.0.0.1")
            try replace("admin localhost:2019", "admin unix/\(directory.path)/admin")
            try replace("/etc/caddy/\(host).crt", certificate)
            try replace("/etc/caddy/\(host).key", key)
            try directory.write(text, to: kind.example.lastPathComponent)
            let all = ["--config", file, "--adapter", "caddyfile"]
            return (["run"] + all, ["validate"] + all)
        case .haproxy:
            try replace("bind :443,:::443 v6only", "bind 127.0.0.1:\(port)")
            try replace("/etc/haproxy/certificates/\(host).pem", directory.path(of: "both.pem"))
            try directory.write(text, to: kind.example.lastPathComponent)
            let global = try directory.write("global\n    log stdout format raw local0\n", to: "global.cfg")
            return (["-db", "-f", global, "-f", file], ["-c", "-f", global, "-f", file])
        }
    }
}
