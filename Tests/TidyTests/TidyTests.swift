// The rules of the house that a compiler does not hold: who imports what, how files open, how long they are.
//
// Promises: reads every Swift file of the package; names file and line of what breaks a rule.
// Must not know: what the code does.

import Foundation
import Testing

/// Which modules a room may import. SwiftPM holds the rest, but cannot forbid what the toolchain brings.
private let importsAllowed: [String: Set<String>] = [
    "Platform": ["CPlatform", "Dispatch", "Glibc", "Synchronization"],
    "HTTPWire": ["CNghttp2"],
    "CrispCallback": ["COpenSSL"],
    "CallbackLog": ["Dispatch", "Platform", "Synchronization"],
    "CallbackReceiver": [
        "CallbackLog", "CrispCallback", "Dispatch", "HTTPWire", "Logging", "Platform", "Synchronization",
    ],
    "callback-receiver": [
        "ArgumentParser", "CYAML", "CallbackLog", "CallbackReceiver", "CrispCallback", "Dispatch", "Logging", "Platform", "Synchronization",
    ],
    "benchmark": [
        "ArgumentParser", "CallbackLog", "CrispCallback", "Dispatch", "Foundation", "Glibc", "HTTPWire", "Platform",
        "Synchronization",
    ],
]

/// Longer files, each with its reason.
private let longFiles: [String: String] = [
    "Sources/HTTPWire/HTTP2/HTTP2Session.swift": "the one file that touches libnghttp2: what belongs to it cannot stand elsewhere"
]

struct SourceFile: CustomTestStringConvertible {
    let path: String
    let lines: [Substring]
    var testDescription: String { path }

    /// Of a file below Sources: the folder under it.
    var room: String { String(path.split(separator: "/")[1]) }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func all(under folder: String) -> [SourceFile] {
        let base = root.appending(path: folder)
        let names = FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []
        return names.filter { $0.hasSuffix(".swift") }.sorted().compactMap { name in
            guard let text = try? String(contentsOf: base.appending(path: name), encoding: .utf8) else { return nil }
            return SourceFile(path: "\(folder)/\(name)", lines: text.split(separator: "\n", omittingEmptySubsequences: false))
        }
    }
}

@Suite("The house rules hold")
struct TidyTests {
    @Test("there are sources to look at")
    func found() {
        #expect(SourceFile.all(under: "Sources").count > 30)
        #expect(Set(SourceFile.all(under: "Sources").map(\.room)) == Set(importsAllowed.keys))
    }

    @Test("a room imports what the allow-list names", arguments: SourceFile.all(under: "Sources"))
    func imports(file: SourceFile) throws {
        let allowed = try #require(importsAllowed[file.room])
        for (number, line) in file.lines.enumerated() {
            let words = line.split(separator: " ")
            guard let keyword = words.firstIndex(of: "import"), words[..<keyword].allSatisfy({ $0.hasPrefix("@") || $0 == "public" || $0 == "package" })
            else { continue }
            // `import enum Module.Name` names the module before the dot.
            let module = words.last.map { $0.split(separator: ".")[0] } ?? ""
            #expect(allowed.contains(String(module)), "\(file.path):\(number + 1) imports \(module)")
        }
    }

    @Test("a file opens with what it promises", arguments: SourceFile.all(under: "Sources"))
    func opens(file: SourceFile) {
        let head = file.lines.prefix { $0.hasPrefix("//") }
        #expect(head.count >= 3, "\(file.path) opens with \(head.count) comment lines")
    }

    @Test("a file stays below 400 lines", arguments: SourceFile.all(under: "Sources") + SourceFile.all(under: "Tests"))
    func length(file: SourceFile) {
        #expect(file.lines.count <= 400 || longFiles[file.path] != nil, "\(file.path) has \(file.lines.count) lines")
    }

    @Test("what is public says what it means", arguments: SourceFile.all(under: "Sources"))
    func documented(file: SourceFile) {
        // What a protocol of the standard library asks for means what it says there.
        let known = ["var description: String", "var customMirror: Mirror", "static func < ("]
        for (number, line) in file.lines.enumerated() {
            let words = line.split(separator: " ").drop { $0.hasPrefix("@") }
            guard words.first == "public", words.dropFirst().first != "extension", !known.contains(where: { line.contains($0) }) else { continue }
            let before = file.lines[..<number].last { !$0.drop { $0 == " " }.hasPrefix("@") }
            #expect(before?.drop { $0 == " " }.hasPrefix("///") ?? false, "\(file.path):\(number + 1) has no comment")
        }
    }

    @Test("nothing is forced, silenced or left for later", arguments: SourceFile.all(under: "Sources"))
    func plain(file: SourceFile) {
        let words = ["try" + "!", "as" + "!", "fatal" + "Error(", "nonisolated(" + "unsafe)", "TO" + "DO", "FIX" + "ME"]
        for (number, line) in file.lines.enumerated() {
            for word in words { #expect(!line.contains(word), "\(file.path):\(number + 1) has \(word)") }
            let isConfined = file.path == "Sources/Platform/Confined.swift"
            #expect(isConfined || !line.contains("@unchecked" + " Sendable"), "\(file.path):\(number + 1): Confined is the only one")
        }
    }
}
