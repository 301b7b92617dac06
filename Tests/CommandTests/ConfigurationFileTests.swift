// A configuration file: each mistake with its line, in exact words, and nothing passed over.

import Testing

@testable import callback_receiver

@Suite("A configuration file")
struct ConfigurationFileTests {
    /// What would be said about a file called `f` with this text.
    private func lines(_ text: String) -> [String] {
        lines(bytes: Array(text.utf8))
    }

    private func lines(bytes: [UInt8]) -> [String] {
        let file = ConfigurationFile(path: "f", bytes: bytes)
        return Resolution(file: file, environment: [:], flags: []).problems.map(\.line)
    }

    @Test(
        "may be empty, or hold empty sections only",
        arguments: ["", "\n", "# nothing\n", "---\n", "~\n", "callback:\n", "server:\n  timeouts:\n", "\u{FEFF}callback:\n", "{}", "callback: {}\n"])
    func empty(text: String) {
        #expect(lines(text) == [])
        #expect(ConfigurationFile(path: "f", bytes: Array(text.utf8)).assignments == [])
    }

    @Test("gives texts to keys, each with its line, whatever their style")
    func assignments() {
        let text = """
            callback:
              listen: "[::1]:1"   # quoted
              path: '/a'
            server:
              loops: 010
              timeouts: {idle-seconds: 5,
                drain-seconds: 6}
            """
        #expect(
            ConfigurationFile(path: "f", bytes: Array(text.utf8)).assignments == [
                .init(key: "callback.listen", text: "[::1]:1", line: 2),
                .init(key: "callback.path", text: "/a", line: 3),
                .init(key: "server.loops", text: "010", line: 5),
                .init(key: "server.timeouts.idle-seconds", text: "5", line: 6),
                .init(key: "server.timeouts.drain-seconds", text: "6", line: 7),
            ])
    }

    @Test(
        "gives a list as one text, as the environment has it; a single value is one element",
        arguments: [
            ("[127.0.0.1, '::1', 10.0.0.0/8]", "127.0.0.1,::1,10.0.0.0/8"), ("\n  - 127.0.0.1\n  - \"::1\"", "127.0.0.1,::1"),
            ("[]", "none"), ("127.0.0.1", "127.0.0.1"), ("none", "none"), ("[none]", "none"),
        ])
    func lists(value: String, text: String) {
        let file = ConfigurationFile(path: "f", bytes: Array("server:\n  trusted-proxies: \(value)\n".utf8))
        #expect(file.assignments == [.init(key: "server.trusted-proxies", text: text, line: 2)])
        #expect(file.problems == [])
    }

    @Test("with the line endings of another system is read the same")
    func carriageReturns() {
        let file = ConfigurationFile(path: "f", bytes: Array("callback:\r\n  path: /a\r\n".utf8))
        #expect(file.assignments == [.init(key: "callback.path", text: "/a", line: 2)])
        #expect(file.problems == [])
    }

    @Test("with an anchor, an alias or a tag is refused", arguments: ["&x 5", "*x", "!!int 5", "!own 5"])
    func marks(value: String) {
        #expect(
            lines("callback:\n  body-bytes-max: \(value)\n") == [
                "f:2: is not YAML: anchors, aliases and tags are not taken; indent with spaces, write \"key: value\", and put a value with brackets, or with a colon at its end, in quotes"
            ])
    }

    static let mistakes: [(String, [String])] = [
        (
            "callback:\n  body-bytes-max: abc\n",
            ["f:2: callback.body-bytes-max: \"abc\" is no size; write for example 64KiB"]
        ),
        ("callback:\n  lisen: x\n", ["f:2: callback.lisen: unknown key; did you mean callback.listen?"]),
        ("callback:\n  body_bytes_max: 1\n", ["f:2: callback.body_bytes_max: unknown key; did you mean callback.body-bytes-max?"]),
        ("calback:\n  listen: x\n", ["f:1: calback: unknown key; did you mean callback?"]),
        ("listen: x\n", ["f:1: listen: unknown key; did you mean callback.listen or api.listen?"]),
        ("idle-seconds: 1\n", ["f:1: idle-seconds: unknown key; did you mean server.timeouts.idle-seconds?"]),
        ("callback: 5\n", ["f:1: callback: is a section; write its keys below it, indented"]),
        ("callback: [a]\n", ["f:1: callback: is a section; write its keys below it, indented"]),
        ("callback: ''\n", ["f:1: callback: is a section; write its keys below it, indented"]),
        ("callback:\n  path: [/a]\n", ["f:2: callback.path: takes a single value, not a list"]),
        (
            "server:\n  trusted-proxies:\n    - ::1\n    - [a]\n",
            ["f:4: server.trusted-proxies: has an element that is no single value; write each by itself, without commas"]
        ),
        (
            "server:\n  trusted-proxies: [~]\n",
            ["f:2: server.trusted-proxies: has an element that is no single value; write each by itself, without commas"]
        ),
        (
            "server:\n  trusted-proxies: ['127.0.0.1,::1']\n",
            ["f:2: server.trusted-proxies: has an element that is no single value; write each by itself, without commas"]
        ),
        ("server:\n  trusted-proxies: {a: b}\n", ["f:2: server.trusted-proxies: takes a list of values, not a section"]),
        ("server:\n  trusted-proxies:\n", ["f:2: server.trusted-proxies: has no value; write for example none"]),
        ("callback:\n  path:\n    a: b\n", ["f:2: callback.path: takes a single value, not a section"]),
        ("callback:\n  path:\n", ["f:2: callback.path: has no value; write for example /callback"]),
        ("callback:\n  path: ~\n", ["f:2: callback.path: has no value; write for example /callback"]),
        ("callback:\n  path: ''\n", ["f:2: callback.path: has no value; write for example /callback"]),
        ("[a]: b\n", ["f:1: has a list or a mapping as a key; write \"key: value\""]),
        ("callback:\n  {a: b}: c\n", ["f:2: callback: has a list or a mapping as a key; write \"key: value\""]),
        ("'': a\n", ["f:1: has a value without a key; write \"key: value\""]),
        (
            "callback.path: /a\n",
            ["f:1: callback.path: keys are nested at the dots; write \"callback:\", below it \"path:\", each indented further"]
        ),
        (
            "- a\n",
            ["f:1: does not hold keys and values; write for example \"callback:\" and indented below it \"path: /callback\""]
        ),
        (
            "secret\n",
            ["f:1: does not hold keys and values; write for example \"callback:\" and indented below it \"path: /callback\""]
        ),
        (
            "callback:\n  path: /a\n  path: /b\n",
            ["f:3: callback.path: stands more than once in the same section; keep one"]
        ),
        ("callback:\n\nserver:\ncallback:\n", ["f:4: callback: stands more than once in the same section; keep one"]),
        (
            "callback:\n\tpath: /a\n",
            ["f:2: is not YAML: found character that cannot start any token; indent with spaces, write \"key: value\", and put a value with brackets, or with a colon at its end, in quotes"]
        ),
        (
            "callback: {\n",
            ["f:2: is not YAML: did not find expected node content; indent with spaces, write \"key: value\", and put a value with brackets, or with a colon at its end, in quotes"]
        ),
        (
            "callback:\n---\nserver:\n",
            ["f:2: is not YAML: a second document begins here; indent with spaces, write \"key: value\", and put a value with brackets, or with a colon at its end, in quotes"]
        ),
        ("callback:\n  path: *a\n", ["f:2: is not YAML: anchors, aliases and tags are not taken; indent with spaces, write \"key: value\", and put a value with brackets, or with a colon at its end, in quotes"]),
        ("a: b\nc: \u{7}\n", ["f:2: has a control character; remove it"]),
        ("a: b\n\u{0}", ["f:2: has a control character; remove it"]),
        ("<<: {a: b}\n", ["f:1: <<: unknown key, or not supported by this version; remove it (config show prints every key there is)"]),
        ("\"a\\nb\": 1\n", ["f:1: a\\u{a}b: unknown key, or not supported by this version; remove it (config show prints every key there is)"]),
    ]

    @Test("says each mistake with line, key and remedy", arguments: mistakes)
    func mistake(text: String, expected: [String]) {
        #expect(lines(text) == expected)
    }

    @Test(
        "refuses what this version does not do, so that no secret or limit seems to act",
        arguments: [
            "tls.key", "tls.key-file",
        ])
    func unsupported(key: String) {
        let parts = key.split(separator: ".")
        let text = parts.enumerated().map { depth, name in
            String(repeating: "  ", count: depth) + "\(name):" + (depth == parts.count - 1 ? " [hunter2]" : "")
        }.joined(separator: "\n")
        let said = lines(text)
        #expect(said.count == 1)
        #expect(said.allSatisfy { $0.hasPrefix("f:") && $0.contains("unknown key") && !$0.contains("hunter2") }, "\(said)")
    }

    @Test("says all mistakes, from top to bottom")
    func all() {
        #expect(
            lines("server:\n  loops: x\n  lops: 1\nlogging:\n  level: loud\n  form: json\n") == [
                "f:2: server.loops: \"x\" is no number; write auto, or 1 to 64",
                "f:3: server.lops: unknown key; did you mean server.loops?",
                "f:5: logging.level: \"loud\" is not possible; write one of: trace, debug, info, notice, warning, error, critical",
                "f:6: logging.form: unknown key; did you mean logging.format?",
            ])
    }

    @Test("with endless mistakes has a bounded number of them listed, and says so")
    func endlessMistakes() {
        let said = lines((0..<5_000).map { "k\($0): 1\n" }.joined())
        #expect(said.count == ConfigurationFile.problemsMax + 1)
        #expect(said.last == "f:101: has more than 100 problems, the rest is not listed; mend these first")
    }

    @Test("that is not UTF-8 is refused at the line where it is not")
    func encoding() {
        #expect(lines(bytes: Array("a: b\nc: ".utf8) + [0xFF, 0x0A]) == ["f:2: is not UTF-8; save the file as UTF-8"])
        #expect(lines(bytes: [0xC0, 0x80]) == ["f:1: is not UTF-8; save the file as UTF-8"])
    }

    @Test("is at most 1 MiB")
    func size() {
        let comment = Array("#".utf8) + Array(repeating: UInt8(ascii: "x"), count: ConfigurationFile.bytesMax - 1)
        #expect(lines(bytes: comment) == [])
        #expect(
            lines(bytes: comment + [0x78])
                == ["f: is larger than 1MiB, which no configuration is; name another file"])
    }

    @Test("nested without end is refused", arguments: ["[", "- ", "{a: ", "? "])
    func nesting(piece: String) {
        let text = String(repeating: piece, count: 100_000)
        let said = lines(text)
        #expect(said.count == 1)
        #expect(said.allSatisfy { $0.contains("is not YAML") }, "\(said)")
    }
}
