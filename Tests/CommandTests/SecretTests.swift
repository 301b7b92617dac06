// Secrets of the configuration: several ways to write them, one way to show them, and no error that repeats one.

import CallbackReceiver
import Foundation
import TestSupport
import Testing

@testable import callback_receiver

@Suite("Secrets of the configuration")
struct SecretTests {
    private func texts(_ secrets: [Secret]) -> [String] { secrets.map { String(decoding: $0.bytes, as: UTF8.self) } }

    private func resolve(_ yaml: String, _ environment: [String: String] = [:]) -> Resolution {
        Resolution(file: ConfigurationFile(path: "f", bytes: Array(yaml.utf8)), environment: environment, flags: [])
    }

    @Test(
        "are a list in YAML, a single value, or texts with commas or line feeds between them",
        arguments: [
            ("[a b, \"c:d\", '#e']", ["a b", "c:d", "#e"]), ("a", ["a"]), ("a, b ,c", ["a", "b", "c"]), ("none", []), ("[]", []), ("\"a\\nb\"", ["a", "b"]),
        ])
    func written(yaml: String, secrets: [String]) {
        let resolution = resolve("callback: {keys: \(yaml.hasPrefix("[") || yaml.hasPrefix("\"") ? yaml : "'\(yaml)'")}")
        #expect(resolution.problems == [])
        #expect(texts(resolution.configuration.server.callbackKeys) == secrets)
    }

    @Test("each kind acts on its own")
    func kinds() {
        let server = resolve("callback: {keys: [k], signing-secrets: [s], users: ['u:p:q'], signature-age-seconds-max: 5}").configuration.server
        #expect(texts(server.callbackKeys) == ["k"] && texts(server.callbackSigningSecrets) == ["s"] && texts(server.callbackUsers) == ["u:p:q"])
        #expect(server.callbackSignatureAgeSecondsMax == 5)
    }

    @Test(
        "are refused without being repeated",
        arguments: [
            ("keys", "hunter2,,x", "has an empty secret"), ("keys", ",", "has an empty secret"), ("keys", "hunter2,none", "has none among"), ("users", "hunter2", "not user:password"),
            ("users", "hunter2:", "not user:password"), ("keys", "hunter2\u{1}", "control characters"), ("keys", "(hidden, 2)", "is what config show prints"), ("keys", "[hunter2,b]", "is a list in brackets"),
            ("keys", String(repeating: "hunter2", count: 200), "more than 1024 bytes"), ("signing-secrets", Array(repeating: "hunter2", count: 65).joined(separator: ","), "more than 64 secrets"),
        ])
    func refused(name: String, value: String, text: String) {
        let variable = "CALLBACK_RECEIVER_CALLBACK_" + name.uppercased().replacing("-", with: "_")
        let lines = resolve("", [variable: value]).problems.map(\.line)
        #expect(lines.count == 1 && lines[0].hasPrefix("\(variable): ") && lines[0].contains(text), "\(lines)")
        #expect(!lines.joined().contains("hunter2"))
    }

    @Test("of wrong structure are refused without being repeated", arguments: ["{hunter2: x}", "[{hunter2: x}]", "['hunter2,x']", "[\"hunter2\\nx\"]", "['']", "[none]", "[hunter2, none]"])
    func structure(yaml: String) {
        let lines = resolve("callback: {keys: \(yaml)}").problems.map(\.line)
        #expect(lines.count == 1 && lines[0].hasPrefix("f:1: callback.keys: ") && !lines[0].contains("hunter2"), "\(lines)")
    }

    // MARK: files

    /// What came of a configuration that names `path` as the file of users, and keys beside.
    private func read(_ path: String, environment: [String: String] = [:]) -> (SecretFiles.Outcome, ServerConfiguration) {
        var resolution = resolve("callback:\n  users-file: \(path)\n  users: ['a:b']\n")
        let outcome = SecretFiles.read(into: &resolution.configuration, origins: resolution.origins, environment: environment)
        return (outcome, resolution.configuration.server)
    }

    @Test("in a file stand one a line and join the others; a file that all may read is said")
    func file() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("\u{FEFF}c:d\r\n\n \t\n#e:f, g \t\n", to: "users")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        var (outcome, server) = read(path)
        #expect(outcome.problems == [] && outcome.warnings == [])
        #expect(texts(server.callbackUsers) == ["a:b", "c:d", "#e:f, g"])
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        (outcome, server) = read(path)
        #expect(outcome.warnings == ["\(path) holds secrets and can be read by every user of this machine; chmod 640 it, or 600"])
    }

    @Test(
        "in a file that is wrong stop the start, with file and line, and are not repeated",
        arguments: [
            ("a:b\nhunter2\n", ":2 has an entry that is not user:password; write both, with a colon between them"), ("\n\n", " holds no secret; write one a line"),
            ("", " holds no secret; write one a line"), ("a:hunter2\u{1}", ":1 has a secret with control characters; use another"),
            (String(repeating: "a:hunter2\n", count: 65), ":65 has more than 64 secrets; remove those that nobody uses"),
            (String(repeating: "a:hunter2\n", count: 7_000), " is larger than 64KiB, which no file of secrets is; name another"),
        ])
    func wrongFile(text: String, said: String) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(text, to: "users")
        #expect(read(path).0.problems.map(\.line) == ["f:2: callback.users-file: \(path)\(said)"])
    }

    @Test("in a file that is missing stop the start")
    func missing() {
        #expect(
            read("/nonexistent/users").0.problems.map(\.line) == [
                "f:2: callback.users-file: /nonexistent/users cannot be read (No such file or directory); check the path and its permissions"
            ])
    }

    @Test("in a file without a path are looked for among systemd's credentials, then beside the configuration file")
    func credentials() throws {
        let directory = try TemporaryDirectory()
        try directory.write("c:d\n", to: "users")
        let environment = ["CREDENTIALS_DIRECTORY": directory.path]
        let (outcome, server) = read("users", environment: environment)
        #expect(outcome.problems == [] && texts(server.callbackUsers) == ["a:b", "c:d"])
        #expect(outcome.unnamed == [])
        // One that is called as the key is needs not be named.
        try directory.write("e:f\n", to: "callback.users")
        try directory.write("k\n", to: "callback.keys")
        let (both, guarded) = read("users", environment: environment)
        #expect(both.problems == [] && texts(guarded.callbackUsers) == ["a:b", "c:d", "e:f"] && texts(guarded.callbackKeys) == ["k"])
        #expect(both.unnamed == ["keys", "users"].map { "callback.\($0): 1 secret in the credential \(directory.path)/callback.\($0)" })
        #expect(texts(read("callback.users", environment: environment).1.callbackUsers) == ["a:b", "e:f"], "named and handed over: once")
        try directory.write("\n", to: "callback.keys")
        #expect(read("users", environment: environment).0.problems.map(\.line) == ["callback.keys-file: \(directory.path)/callback.keys holds no secret; write one a line"])
        let beside = Origin.file(path: "/etc/callback-receiver/x.yaml", line: 2)
        #expect(SecretFiles.location(of: "users", origin: beside, environment: environment) == directory.path + "/users")
        #expect(SecretFiles.location(of: "other", origin: beside, environment: environment) == "/etc/callback-receiver/other")
        #expect(SecretFiles.location(of: "users", origin: beside, environment: [:]) == "/etc/callback-receiver/users")
        #expect(SecretFiles.location(of: "/users", origin: beside, environment: environment) == "/users")
        #expect(SecretFiles.location(of: "users", origin: .environment(name: "X"), environment: [:]) == "users")
        #expect(SecretFiles.location(of: "users", origin: .file(path: "x.yaml", line: 2), environment: [:]) == "users")
    }
}
