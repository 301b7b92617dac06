// Index files: derived from the segments, so that whatever befalls them changes no answer.
//
// Promises: one log of several sealed segments is made by the real server, and each case harms a copy of it while no server
// runs; afterwards every callback is found, every retry is a duplicate, and the index files are back.
// Must not know: what is in an index file. Its name is the segment's with `.index` in place of `.jsonl`.

import Foundation
import Testing
import TestSupport

@Suite("Index files", .serialized)
struct IndexFileTests {
    private static let configuration = "log:\n  segment-bytes-max: 1MiB\n"

    /// A log of four sealed segments and an open one, and what its server promised.
    private struct Base: Sendable {
        let directory: TemporaryDirectory
        let load: CallbackLoad
    }

    private static let cleanlyStopped = Result { try makeBase(killing: false) }
    private static let killed = Result { try makeBase(killing: true) }

    private static func makeBase(killing: Bool) throws -> Base {
        let server = try ServerProcess(configuration: configuration)
        var load = CallbackLoad(paddingBytes: 0...60_000)
        try load.run(on: server) { _ in segments(server.directory).count >= 5 }
        try load.run(on: server) { [count = load.acknowledged.count] in $0.acknowledged.count >= count + 10 }
        try eventuallyIndexed(server.directory)
        if killing { try server.child.kill9() } else { try server.terminate() }
        return Base(directory: server.directory, load: load)
    }

    private static func segments(_ directory: TemporaryDirectory) -> [String] {
        directory.entries.filter { $0.hasSuffix(".jsonl") && $0.count == 26 && $0.prefix(20).allSatisfy(\.isNumber) }
    }

    private static func indexName(_ segment: String) -> String { segment.replacing(".jsonl", with: ".index") }

    private static func eventuallyIndexed(_ directory: TemporaryDirectory) throws {
        try eventually("an index beside each sealed segment, and nothing unfinished; there is \(directory.entries)") {
            let entries = directory.entries
            return !entries.contains { $0.hasSuffix(".new") }
                && segments(directory).dropLast().allSatisfy { entries.contains(indexName($0)) && isFile(directory.path(of: indexName($0))) }
        }
    }

    private static func isFile(_ path: String) -> Bool {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType == .typeRegular
    }

    /// What befalls an index file.
    enum Harm: CustomTestStringConvertible {
        case deleted, zeroed, swapped, directory, linkToItself, danglingLink, anotherLogs, extended, garbage, segmentsOwnText
        case truncated(permille: Int)
        case flipped(permille: Int)

        /// Three at a time, each on an index file of its own; or one that needs two files.
        static let groups: [[Harm]] = [
            [.swapped], [.directory], [.deleted, .zeroed, .linkToItself], [.danglingLink, .anotherLogs, .extended], [.garbage, .segmentsOwnText],
            [0, 1, 250].map { .truncated(permille: $0) }, [500, 900, 999].map { .truncated(permille: $0) }, [0, 1, 3].map { .flipped(permille: $0) },
            [30, 300, 500].map { .flipped(permille: $0) }, [600, 900, 999].map { .flipped(permille: $0) },
        ]

        var testDescription: String { "\(self)" }

        func befall(_ name: String, in directory: TemporaryDirectory, other: String, foreign: TemporaryDirectory) throws {
            let path = directory.path(of: name)
            let files = FileManager.default
            var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            func put(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }
            switch self {
            case .deleted: try files.removeItem(atPath: path)
            case .zeroed: try put([UInt8](repeating: 0, count: bytes.count))
            case .swapped:
                try put([UInt8](try Data(contentsOf: URL(fileURLWithPath: directory.path(of: other)))))
                try Data(bytes).write(to: URL(fileURLWithPath: directory.path(of: other)))
            case .directory:
                try files.removeItem(atPath: path)
                try files.createDirectory(atPath: path, withIntermediateDirectories: false)
            case .linkToItself, .danglingLink:
                try files.removeItem(atPath: path)
                try files.createSymbolicLink(atPath: path, withDestinationPath: self == .linkToItself ? path : path + "-nowhere")
            case .anotherLogs:
                let index = foreign.entries.filter { $0.hasSuffix(".index") }[1]
                try put([UInt8](try Data(contentsOf: URL(fileURLWithPath: foreign.path(of: index)))))
            case .extended: try put(bytes + [UInt8](repeating: 0x41, count: 5_000))
            case .garbage:
                var generator = SeededGenerator(seed: 7)
                try put((0..<bytes.count).map { _ in UInt8.random(in: 0...255, using: &generator) })
            case .segmentsOwnText:
                try put([UInt8](try Data(contentsOf: URL(fileURLWithPath: directory.path(of: name.replacing(".index", with: ".jsonl"))))))
            case .truncated(let permille): try put(Array(bytes.prefix(bytes.count * permille / 1_000)))
            case .flipped(let permille):
                bytes[min(bytes.count * permille / 1_000, bytes.count - 1)] ^= 0x10
                try put(bytes)
            }
        }

        static func == (one: Harm, other: Harm) -> Bool { "\(one)" == "\(other)" }
    }

    private func copy(_ base: Base) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        for entry in base.directory.entries {
            try FileManager.default.copyItem(atPath: base.directory.path(of: entry), toPath: directory.path(of: entry))
        }
        return directory
    }

    /// Everything is found, every retry is a duplicate, intake goes on, and nothing is called damage.
    private func expectWhole(_ directory: TemporaryDirectory, _ promised: CallbackLoad) throws -> ServerProcess {
        var load = promised
        let server = try ServerProcess(directory: directory, configuration: Self.configuration)
        #expect(try load.wrongAnswers(of: server) == [])
        for identifier in ["never-sent", "load-", "load-999999"] {
            let answer = try eventually("an answer for \(identifier)") { () -> Answer? in
                let answer = try server.status(of: identifier)
                return answer.status == 503 ? nil : answer
            }
            #expect(answer.status == 404, "\(identifier)")
        }
        try Self.eventuallyIndexed(directory)
        #expect(try load.wrongRetries(on: server) == [])
        let count = load.acknowledged.count
        try load.run(on: server) { $0.acknowledged.count >= count + 10 }
        #expect(load.violations == [])
        #expect(try server.get("/readyz").status == 200)
        #expect(try !server.get("/readyz").text.contains(".jsonl"))
        return server
    }

    @Test("each sealed segment has one, the open segment none, and no unfinished one stays")
    func beside() throws {
        for base in [Self.cleanlyStopped, Self.killed] {
            let base = try base.get()
            let segments = Self.segments(base.directory)
            #expect(segments.count >= 5)
            #expect(base.directory.entries.filter { $0.hasSuffix(".index") } == segments.dropLast().map(Self.indexName))
            #expect(try base.load.violations(in: LogReader(directory: base.directory.path)) == [])
        }
    }

    @Test("they are used as they are: a restart beside whole ones rebuilds none", arguments: [true, false])
    func whole(killing: Bool) throws {
        let base = try (killing ? Self.killed : Self.cleanlyStopped).get()
        let directory = try copy(base)
        func contents() -> [Data?] {
            Self.segments(directory).dropLast().map { FileManager.default.contents(atPath: directory.path(of: Self.indexName($0))) }
        }
        let before = contents()
        let server = try expectWhole(directory, base.load)
        #expect(rebuildLines(server, base) == [])
        #expect(Array(contents().prefix(before.count)) == before)
        #expect(try server.terminate() == .exited(0))
    }

    /// Lines about index files of the segments that the base has.
    private func rebuildLines(_ server: ServerProcess, _ base: Base) -> [String] {
        let old = Self.segments(base.directory).dropLast().map { String($0.prefix(20)) }
        return server.child.standardError.split(separator: "\n").map(String.init).filter { line in
            line.contains("index") && (line.contains("rebuil") || old.contains { line.contains($0) })
        }
    }

    @Test("whatever befalls them, every callback is found, every retry is a duplicate, and they are rebuilt, and that is said in a line",
        arguments: Harm.groups)
    func harmed(harms: [Harm]) throws {
        let base = try Self.cleanlyStopped.get()
        let directory = try copy(base)
        let names = Self.segments(directory).dropLast().map(Self.indexName)
        for (name, harm) in zip(names, harms) { try harm.befall(name, in: directory, other: names[3], foreign: try Self.killed.get().directory) }
        let server = try expectWhole(directory, base.load)
        try eventually("a line about it; it said: \(server.child.standardError)") { rebuildLines(server, base).isEmpty == false }
        // One for all that the start finds, and one for each that is found later, by reading.
        #expect(rebuildLines(server, base).count <= harms.count, "\(server.child.standardError)")
        #expect(try server.terminate() == .exited(0))

        // Mended for good: the next start has nothing to rebuild.
        let again = try ServerProcess(directory: directory, configuration: Self.configuration)
        #expect(try base.load.wrongAnswers(of: again) == [])
        try again.terminate()
        #expect(rebuildLines(again, base) == [])
        #expect(try base.load.violations(in: LogReader(directory: directory.path)) == [])
    }

    @Test("all of them gone, or none of them readable, after a kill: nothing is lost and all are back",
        arguments: [Harm.deleted, .zeroed, .garbage, .directory, .truncated(permille: 500)])
    func allHarmed(harm: Harm) throws {
        let base = try Self.killed.get()
        let directory = try copy(base)
        let names = Self.segments(directory).dropLast().map(Self.indexName)
        for name in names { try harm.befall(name, in: directory, other: names[0], foreign: base.directory) }
        let server = try expectWhole(directory, base.load)
        try server.child.kill9()
        try expectWhole(directory, base.load).terminate()
        #expect(try base.load.violations(in: LogReader(directory: directory.path)) == [])
    }

    @Test("index files deleted while the server runs change no answer, and a restart brings them back")
    func deletedMeanwhile() throws {
        let base = try Self.cleanlyStopped.get()
        let directory = try copy(base)
        let server = try expectWhole(directory, base.load)
        for entry in directory.entries where entry.hasSuffix(".index") { try FileManager.default.removeItem(atPath: directory.path(of: entry)) }
        #expect(try base.load.wrongAnswers(of: server) == [])
        var load = base.load
        let count = load.acknowledged.count
        load.mayStoreTwice = true
        try load.run(on: server) { $0.acknowledged.count >= count + 40 }
        #expect(load.refusalCount == 0 && load.violations == [])
        try server.terminate()
        let again = try ServerProcess(directory: directory, configuration: Self.configuration)
        #expect(try load.wrongAnswers(of: again) == [])
        try Self.eventuallyIndexed(directory)
    }

    @Test("what is written beside the segments that is no segment, is left alone and does no harm", arguments: [true, false])
    func foreignFiles(killing: Bool) throws {
        let base = try (killing ? Self.killed : Self.cleanlyStopped).get()
        let directory = try copy(base)
        let first = Self.segments(directory)[0]
        let foreign = [
            "README", "other.jsonl", first + ".bak", "." + first, first.replacing("0000", with: "000"), "9" + first, "x.index", "copy of " + first, first + ".gz",
            "00000000000000000000.txt", "00000000000000000001.JSONL",
        ]
        for name in foreign { try directory.write("{\"sequence\":1}\nnot ours", to: name) }
        try FileManager.default.createDirectory(atPath: directory.path(of: "lost+found"), withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(atPath: directory.path(of: "link"), withDestinationPath: "/nonexistent")
        // Ours, and of no use: an index without a segment, and what a crash left of the making of one.
        try directory.write("nothing", to: "00000000000000099999.index")
        try directory.write("half of it", to: Self.indexName(Self.segments(directory)[2]) + ".new")
        let server = try expectWhole(directory, base.load)
        try server.terminate()
        for name in foreign {
            #expect(FileManager.default.contents(atPath: directory.path(of: name)) == Data("{\"sequence\":1}\nnot ours".utf8), "\(name)")
        }
    }

    @Test("the identity file gone or spoilt: every callback is found all the same", arguments: ["deleted", "empty", "garbage"])
    func identity(harm: String) throws {
        let base = try Self.cleanlyStopped.get()
        let directory = try copy(base)
        let path = directory.path(of: "identity")
        #expect(FileManager.default.fileExists(atPath: path))
        switch harm {
        case "deleted": try FileManager.default.removeItem(atPath: path)
        case "empty": try Data().write(to: URL(fileURLWithPath: path))
        default: try Data((0..<100).map { UInt8($0) }).write(to: URL(fileURLWithPath: path))
        }
        try expectWhole(directory, base.load).terminate()
        let again = try ServerProcess(directory: directory, configuration: Self.configuration)
        #expect(try base.load.wrongAnswers(of: again) == [])
        #expect(rebuildLines(again, base) == [])
    }
}
