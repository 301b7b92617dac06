// The quarantine: what is kept, what goes for it, and when it is said to be kept.
//
// Promises: a real directory, or one that fails where a test wants it to; turned time. Must not know: HTTP.

import Dispatch
import Foundation
import Logging
import Platform
import Synchronization
import TestSupport
import Testing

import CallbackLog

@testable import CallbackReceiver

@Suite struct QuarantineTests {
    /// A quarantine in a directory of its own, and what it says of each body.
    private final class Kept {
        let directory: TemporaryDirectory
        let quarantine: Quarantine
        private let clock = Mutex<Int64>(1_779_301_225_031)

        init(bytesMax: Int64 = 1 << 20, in directory: TemporaryDirectory? = nil) throws {
            let directory = try directory ?? TemporaryDirectory()
            self.directory = directory
            let path = directory.path
            let ticks = Atomic64(1_779_301_225_031)
            quarantine = Quarantine(
                bytesMax: bytesMax, wallMilliseconds: { ticks.next() }, observe: { _ in },
                openDirectory: { () throws(SystemError) in try SystemDirectory(creating: path + "/quarantine") })
        }

        func keep(_ body: String, status: UInt16 = 422, from peer: String = "192.0.2.7") throws -> Bool {
            try keep(Array(body.utf8), status: status, from: peer)
        }

        func keep(_ body: [UInt8], status: UInt16 = 422, from peer: String = "192.0.2.7") throws -> Bool {
            let said = DispatchSemaphore(value: 0)
            let isKept = Mutex(false)
            let address = try #require(IPAddress(peer))
            let shared = Shared(isKept: isKept)
            quarantine.keep(KeptRefusal(body: body, status: status, detail: "no request_id", isProved: status != 401), from: address) { kept in
                shared.isKept.withLock { $0 = kept }
                said.signal()
            }
            said.wait()
            return shared.isKept.withLock { $0 }
        }

        func all() throws -> [Quarantine.Shown] { try #require(quarantine.page(below: nil, countMax: 1_000, bytesMax: .max)).entries }
        func bodies() throws -> [String] { try all().map { String(decoding: $0.body, as: UTF8.self) } }
    }

    private final class Shared: Sendable {
        let isKept: Mutex<Bool>
        init(isKept: consuming Mutex<Bool>) { self.isKept = isKept }
    }

    private final class Atomic64: Sendable {
        private let value: Atomic<Int64>
        init(_ value: Int64) { self.value = Atomic(value) }
        func next() -> Int64 { value.add(1, ordering: .relaxed).newValue }
    }

    @Test("a body is there with who sent it and why it was refused, newest first, also after a restart")
    func kept() throws {
        let first = try Kept()
        #expect(try first.keep("{}"))
        #expect(try first.keep("nonsense\u{0}", status: 400, from: "2001:db8::1"))
        #expect(try first.bodies() == ["nonsense\u{0}", "{}"])
        let again = try Kept(in: first.directory)
        let entries = try again.all()
        #expect(entries.map(\.entry.status) == [400, 422])
        #expect(entries.map { "\($0.entry.peer)" } == ["2001:db8::1", "192.0.2.7"])
        #expect(entries.map(\.detail) == ["no request_id", "no request_id"])
        #expect(try again.bodies() == ["nonsense\u{0}", "{}"])
    }

    @Test("the same body again is counted, also after a restart; another status is another ring")
    func repeated() throws {
        let first = try Kept()
        for _ in 0..<3 { #expect(try first.keep("{}")) }
        let again = try Kept(in: first.directory)
        #expect(try again.keep("{}"))
        #expect(try again.keep("{}", status: 401))
        #expect(try again.all().map(\.entry.count) == [1, 4])
        #expect(try again.all().map(\.entry.ring) == [.unauthorized, .refused])
    }

    @Test("the oldest go first, and one peer's own before others'")
    func bounds() throws {
        // 64 blocks, 16 of them for each peer.
        let kept = try Kept(bytesMax: 64 * QuarantineEntry.blockBytes)
        for number in 0..<20 { #expect(try kept.keep("a\(number)")) }
        #expect(try kept.bodies() == (4..<20).reversed().map { "a\($0)" })
        for peer in 1...4 {
            for number in 0..<14 { #expect(try kept.keep("p\(peer) \(number)", from: "198.51.100.\(peer)")) }
        }
        let bodies = try kept.bodies()
        #expect(bodies.count == 64)
        // Eight of the first peer's remain: those that came last.
        #expect(bodies.filter { $0.hasPrefix("a") } == (12..<20).reversed().map { "a\($0)" })
        #expect(kept.quarantine.sizes.refused.bytes == 64 * QuarantineEntry.blockBytes)
        // One subscriber has one /64.
        for number in 0..<20 { #expect(try kept.keep("six \(number)", from: "2001:db8::\(number + 1)")) }
        #expect(try kept.bodies().filter { $0.hasPrefix("six") }.count == 16)
    }

    @Test("bodies of what nobody proved take no room from the others")
    func rings() throws {
        let kept = try Kept(bytesMax: 16 * QuarantineEntry.blockBytes)
        for number in 0..<4 { #expect(try kept.keep("r\(number)")) }
        for number in 0..<50 { #expect(try kept.keep("u\(number)", status: 401)) }
        #expect(try kept.bodies().filter { $0.hasPrefix("r") }.count == 4)
        #expect(try kept.bodies().filter { $0.hasPrefix("u") }.count == 50)
    }

    @Test("a page begins behind the last one, whatever came and went meanwhile")
    func pages() throws {
        let kept = try Kept()
        for number in 0..<10 { #expect(try kept.keep("b\(number)")) }
        let first = try #require(kept.quarantine.page(below: nil, countMax: 4, bytesMax: .max))
        #expect(first.hasMore && first.entries.map { String(decoding: $0.body, as: UTF8.self) } == ["b9", "b8", "b7", "b6"])
        #expect(try kept.keep("later"))
        let last = try #require(first.entries.last).entry.name
        #expect(kept.quarantine.remove([last]))
        let second = try #require(kept.quarantine.page(below: last, countMax: 100, bytesMax: .max))
        #expect(!second.hasMore && second.entries.map { String(decoding: $0.body, as: UTF8.self) } == ["b5", "b4", "b3", "b2", "b1", "b0"])
    }

    @Test("what is no entry is left alone, and a directory that is gone is made again")
    func foreign() throws {
        let first = try Kept()
        #expect(try first.keep("{}"))
        let quarantine = try SystemDirectory(creating: first.directory.path + "/quarantine")
        for name in ["1779301225031-000009.refused", "notes", "1779301225031-000009.other"] {
            let file = try quarantine.create(name)
            _ = try file.write(Array("{\"count\":0}\n".utf8), from: 0, at: 0)
        }
        let again = try Kept(in: first.directory)
        #expect(try again.bodies() == ["{}"])
        try FileManager.default.removeItem(atPath: first.directory.path + "/quarantine")
        #expect(try again.keep("{}"))
        #expect(try again.bodies() == ["{}"])
    }

    @Test("where the disk fails nothing is said to be kept")
    func failing() throws {
        let quarantine = Quarantine(
            bytesMax: 1 << 20, wallMilliseconds: { 0 }, observe: { _ in },
            openDirectory: { () throws(SystemError) in throw SystemError(operation: "open", path: "quarantine", code: SystemError.noSpace) })
        let said = DispatchSemaphore(value: 0)
        let shared = Shared(isKept: Mutex(true))
        quarantine.keep(KeptRefusal(body: [1], status: 400, detail: "", isProved: true), from: .unspecified) { kept in
            shared.isKept.withLock { $0 = kept }
            said.signal()
        }
        said.wait()
        #expect(!shared.isKept.withLock { $0 })
        #expect(quarantine.page(below: nil, countMax: 1, bytesMax: 1) == nil)
    }

    @Test("a first line is read as it was written, and no other is one")
    func lines() throws {
        let peer = try #require(IPAddress("192.0.2.7"))
        let bytes = QuarantineEntry.file(at: Timestamp(milliseconds: 5), peer: peer, status: 413, detail: "\"quoted\"\n", body: [1, 10, 2])
        let name = QuarantineEntry.name(at: Timestamp(milliseconds: 5), serial: 7, ring: .refused)
        #expect(name == "0000000000005-000007.refused")
        let found = QuarantineEntry.read(name, bytes.span, byteCount: Int64(bytes.count))
        let (entry, detail, isCut, start) = try #require(found)
        let cutFile = QuarantineEntry.file(at: Timestamp(milliseconds: 5), peer: peer, status: 413, detail: "", body: [1], isCut: true)
        #expect(!isCut && QuarantineEntry.read(name, cutFile.span, byteCount: 9)?.isCut == true)
        #expect(entry.status == 413 && entry.count == 1 && entry.peer == peer && detail == "\"quoted\"\n" && Array(bytes[start...]) == [1, 10, 2])
        for count in 0..<start {
            let cut = Array(bytes[..<count])
            let isEntry = QuarantineEntry.read(name, cut.span, byteCount: 9) != nil
            #expect(!isEntry)
        }
    }
}
