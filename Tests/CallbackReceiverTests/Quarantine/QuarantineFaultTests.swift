// The quarantine on a disk that fails at any call, and what a process that was killed leaves it.
//
// Promises: the calls are those of a real directory; after each fault the directory is read by another quarantine, as a
// start would. Must not know: HTTP.

import CallbackLog
import Dispatch
import Foundation
import Platform
import Synchronization
import TestSupport
import Testing

@testable import CallbackReceiver

@Suite struct QuarantineFaultTests {
    /// What one body, or several at once, came to; and what the quarantine said.
    private final class Said: Sendable {
        let outcomes = Mutex<[Bool]>([])
        let events = Mutex<[QuarantineEvent]>([])
        let semaphore = DispatchSemaphore(value: 0)
    }

    private final class OnDirectory {
        let faulty: FaultyDirectory
        let quarantine: Quarantine
        let said = Said()

        init(_ path: String, bytesMax: Int64 = 1 << 20) throws {
            let (faulty, said) = (try FaultyDirectory(path), said)
            self.faulty = faulty
            let clock = Mutex64(1_779_301_225_031)
            quarantine = Quarantine(
                bytesMax: bytesMax, wallMilliseconds: { clock.next() }, observe: { event in said.events.withLock { $0.append(event) } },
                openDirectory: { () throws(SystemError) in faulty })
        }

        func keep(_ bodies: String...) throws -> [Bool] {
            let said = said
            said.outcomes.withLock { $0 = [] }
            let peer = try #require(IPAddress("192.0.2.7"))
            for body in bodies {
                quarantine.keep(KeptRefusal(body: Array(body.utf8), status: 422, detail: "no request_id", isProved: true), from: peer) { isKept in
                    said.outcomes.withLock { $0.append(isKept) }
                    said.semaphore.signal()
                }
            }
            for _ in bodies { #expect(said.semaphore.wait(timeout: .now() + .seconds(20)) == .success) }
            return said.outcomes.withLock { $0 }
        }

        var events: [QuarantineEvent] { said.events.withLock { $0 } }

        func bodies() throws -> [String] {
            try #require(quarantine.page(below: nil, countMax: 1_000, bytesMax: .max)).entries.map { String(decoding: $0.body, as: UTF8.self) }
        }
    }

    private final class Mutex64: Sendable {
        private let value: Atomic<Int64>
        init(_ value: Int64) { self.value = Atomic(value) }
        func next() -> Int64 { value.add(1, ordering: .relaxed).newValue }
    }

    @Test("a body is said to be kept after its file, and then the directory, are synced; one that is there needs neither")
    func order() throws {
        let place = try TemporaryDirectory()
        let kept = try OnDirectory(place.path)
        #expect(try kept.keep("first") == [true])
        _ = kept.faulty.takeCalls()
        #expect(try kept.keep("second") == [true])
        #expect(kept.faulty.takeCalls() == ["isGone", "create", "write", "fdatasync", "rename", "fsync"])
        #expect(try kept.keep("second") == [true])
        #expect(!kept.faulty.takeCalls().contains { ["create", "rename", "fdatasync", "fsync"].contains($0) })
    }

    @Test("whichever call fails: what is said to be kept is there after a restart, what is not can be sent again, and nothing goes for it")
    func everyCall() throws {
        var number = 0
        var hasFailed = true
        while hasFailed {
            let place = try TemporaryDirectory()
            // Room for two of one peer's: the third takes the oldest's place.
            let kept = try OnDirectory(place.path, bytesMax: 8 * QuarantineEntry.blockBytes)
            #expect(try kept.keep("a") == [true])
            #expect(try kept.keep("b") == [true])
            kept.faulty.fail(after: number)
            let isKept = try kept.keep("c") == [true]
            hasFailed = kept.faulty.hasFailed
            kept.faulty.fail(after: nil)
            let after = try OnDirectory(place.path).bodies()
            #expect(after.contains("b"))
            #expect(isKept ? after.contains("c") : after.contains("a"), "call \(number)")
            if hasFailed { #expect(!kept.events.isEmpty, "call \(number)") }
            #expect(try kept.keep("c") == [true])
            #expect(try OnDirectory(place.path).bodies().contains("c"), "call \(number)")
            number += 1
        }
        #expect(number > 6)
    }

    @Test("a body whose name could not be made durable is written anew when it comes again")
    func directorySync() throws {
        let place = try TemporaryDirectory()
        let kept = try OnDirectory(place.path)
        #expect(try kept.keep("a") == [true])
        kept.faulty.fail(after: 5)
        #expect(try kept.keep("b") == [false])
        #expect(kept.faulty.hasFailed)
        _ = kept.faulty.takeCalls()
        #expect(try kept.keep("b") == [true])
        #expect(kept.faulty.takeCalls().suffix(5) == ["create", "write", "fdatasync", "rename", "fsync"])
        #expect(try kept.bodies() == ["b", "a"])
    }

    @Test("where it cannot be taken away either, the directory is read anew: nothing is in it that is not counted")
    func directorySyncAndRemoval() throws {
        let place = try TemporaryDirectory()
        let kept = try OnDirectory(place.path)
        #expect(try kept.keep("a") == [true])
        kept.faulty.fail(after: 5, times: 2)
        #expect(try kept.keep("b") == [false])
        #expect(kept.faulty.takeCalls().suffix(2) == ["fsync", "remove"])
        #expect(try kept.keep("b") == [true])
        #expect(try kept.bodies() == ["b", "a"])
        #expect(try kept.faulty.directory.names().count == 2)
    }

    @Test("a start makes the names durable that it finds, removes what was being written, and names what is not its own")
    func start() throws {
        let place = try TemporaryDirectory()
        #expect(try OnDirectory(place.path).keep("a") == [true])
        try Data("{".utf8).write(to: URL(fileURLWithPath: place.path + "/1779301225031-000009.refused.new"))
        try Data("{\n".utf8).write(to: URL(fileURLWithPath: place.path + "/1779301225031-000009.refused"))
        try Data("mine".utf8).write(to: URL(fileURLWithPath: place.path + "/notes.new"))
        let again = try OnDirectory(place.path)
        #expect(try again.keep("a") == [true])
        #expect(again.faulty.takeCalls().contains("fsync"))
        #expect(again.events == [.foreign(name: "1779301225031-000009.refused", count: 2)])
        let names = try again.faulty.directory.names()
        #expect(names.contains("notes.new") && names.contains("1779301225031-000009.refused"))
        #expect(!names.contains("1779301225031-000009.refused.new"))
    }

    @Test("an entry that cannot be read at a start is named, and there again once it can be: at the next question")
    func unreadableStart() throws {
        let place = try TemporaryDirectory()
        #expect(try OnDirectory(place.path).keep("a", "b") == [true, true])
        let again = try OnDirectory(place.path)
        // fsync, names, open, size, read of the first.
        again.faulty.fail(after: 4)
        #expect(try again.keep("c") == [true])
        guard case .unreadable(let name, let error) = try #require(again.events.first) else { throw Unexpected() }
        #expect(again.events.count == 1 && name.hasSuffix(".refused") && error.contains("read"))
        // The clock of this process stands where that of the one before began: the names do not meet.
        #expect(try again.bodies().sorted() == ["a", "b", "c"])
    }

    @Test("an entry that cannot be read when it is to be shown is named, left out, and there again the next time")
    func unreadablePage() throws {
        let place = try TemporaryDirectory()
        let kept = try OnDirectory(place.path)
        #expect(try kept.keep("a", "b") == [true, true])
        // isGone twice, open.
        kept.faulty.fail(after: 2)
        #expect(try kept.bodies() == ["a"])
        #expect(kept.events.count == 1)
        #expect(try kept.bodies() == ["b", "a"])
    }

    @Test("an entry that never can be read is counted by a requeue as one that failed, and is none once it is gone")
    func unreadableForGood() throws {
        let place = try TemporaryDirectory()
        #expect(try OnDirectory(place.path + "/quarantine").keep(#"{"message":"m","data":{}}"#) == [true])
        let name = "1779301225031-000009.refused"
        try FileManager.default.createDirectory(atPath: place.path + "/quarantine/" + name, withIntermediateDirectories: false)
        let again = try OnDirectory(place.path + "/quarantine")
        #expect(try again.bodies().count == 1)
        let log = try CallbackLog(directory: SystemDirectory(creating: place.path + "/log"))
        defer { log.close() }
        let requeue = Requeue(log: log, quarantine: again.quarantine)
        var expected = Requeue.Summary()
        (expected.left, expected.failed) = (1, 1)
        #expect(requeue.run(includesUnauthorized: false) == expected)
        #expect(again.events.allSatisfy { if case .unreadable(name, _) = $0 { true } else { false } })
        try FileManager.default.removeItem(atPath: place.path + "/quarantine/" + name)
        expected.failed = 0
        #expect(requeue.run(includesUnauthorized: false) == expected)
    }

    private struct Unexpected: Error {}

    @Test("a ring holds so many entries and no more, however large it may be; the operator hears of what went")
    func entries() throws {
        var index = QuarantineIndex(bytesMax: 1 << 40, entriesMax: 3)
        let peer = try #require(IPAddress("192.0.2.7"))
        for serial in 0..<5 {
            let name = QuarantineEntry.name(at: .init(milliseconds: 5), serial: serial, ring: .refused)
            let entry = QuarantineEntry(
                name: name, ring: .refused, at: .init(milliseconds: 5), lastAt: .init(milliseconds: 5), count: 1, peer: peer, status: 422, byteCount: 9)
            for gone in try #require(index.outgoing(for: entry.diskBytes, of: peer)) { index.remove(gone.name) }
            index.insert(entry, hash: serial)
        }
        #expect(index.entries.count == 3)

        let place = try TemporaryDirectory()
        let kept = try OnDirectory(place.path, bytesMax: 8 * QuarantineEntry.blockBytes)
        for body in ["a", "b", "c"] { #expect(try kept.keep(body) == [true]) }
        #expect(kept.events == [.gone(1)])
        #expect(try kept.bodies() == ["c", "b"])
    }
}
