// An index file made anew while somebody is looking something up: the look-up finds what is there.
//
// Promises: each interleaving is forced, by doing the one thing while the other opens a file.
// Must not know: the layout of an index file, but that 127 records and 128 do not make the same one.

import Platform
import Synchronization
import Testing

@testable import CallbackLog

/// A directory that does something else before or behind the next `open` of an index file.
private final class HookedDirectory: Directory {
    enum Moment { case before, behind }
    private let disk: MemoryDisk
    private let hook = Mutex<(moment: Moment, body: @Sendable () -> Void)?>(nil)

    init(_ disk: MemoryDisk) { self.disk = disk }

    func next(_ moment: Moment, _ body: @escaping @Sendable () -> Void) { hook.withLock { $0 = (moment, body) } }

    private func run(_ moment: Moment, _ name: String) {
        guard name.hasSuffix(".index") else { return }
        let body = hook.withLock { hook -> (@Sendable () -> Void)? in
            guard let found = hook, found.moment == moment else { return nil }
            hook = nil
            return found.body
        }
        body?()
    }

    func open(_ name: String) throws(SystemError) -> any File {
        run(.before, name)
        let file = try disk.open(name)
        run(.behind, name)
        return file
    }

    var path: String { disk.path }
    func names() throws(SystemError) -> [String] { try disk.names() }
    func create(_ name: String) throws(SystemError) -> any File { try disk.create(name) }
    func rename(_ old: String, to new: String) throws(SystemError) { try disk.rename(old, to: new) }
    func remove(_ name: String) throws(SystemError) { try disk.remove(name) }
    func synchronize() throws(SystemError) { try disk.synchronize() }
    func isGone() throws(SystemError) -> Bool { try disk.isGone() }
    func freeBytes() throws(SystemError) -> Int64 { try disk.freeBytes() }
}

@Suite struct RebuiltIndexTests {
    /// A sealed segment of 128 records with its index file, of which the third one is damaged then.
    private struct World: Sendable {
        let directory: HookedDirectory
        let shared: Shared
        let maker: IndexMaker
        let hash = KeyedHash(key: (1, 2))
        private let disk: MemoryDisk

        init() throws {
            var lines: [UInt8] = []
            for sequence in UInt64(1)...128 {
                RecordFormat.appendCallback(
                    sequence: sequence, receivedAt: Timestamp(milliseconds: 0), requestID: Array("id\(sequence)".utf8).span, status: .sent,
                    payload: Array("{}".utf8).span, durable: sequence - 1, to: &lines)
            }
            disk = MemoryDisk([segmentName(1): lines, segmentName(129): []])
            directory = HookedDirectory(disk)
            maker = IndexMaker(directory: disk, hash: hash, options: LogOptions())
            var failure: SystemError?
            let sealed = try maker.make(first: 1, successor: 129, failure: &failure)
            let open = OpenSegment(file: try disk.open(segmentName(129)), first: 129, index: SegmentIndex(first: 129))
            shared = Shared(Published(sealed: [sealed], open: open, durable: 128), files: OpenFiles(directory))
        }

        /// As upkeep makes the index anew, up to where it has the files forgotten.
        func remake() {
            disk.state.withLock { state in
                guard let inode = state.names[segmentName(1)] else { return }
                state.inodes[inode].cached[400] ^= 1
            }
            var failure: SystemError?
            guard let made = try? maker.make(first: 1, successor: 129, failure: &failure) else { return }
            shared.published.withLock { $0.replace(made) }
        }

        func forget() { shared.files.forget(1) }

        /// The sequences that the id of this record leads to.
        func look(for sequence: UInt64) -> [UInt64] {
            var pages = IndexPageBuffer()
            let found = shared.candidates(of: hash.hash(Array("id\(sequence)".utf8).span), using: &pages)
            return found.isWhole ? found.records.map(\.entry.sequence) : []
        }
    }

    @Test("the damage takes one record and no other")
    func control() throws {
        let world = try World()
        #expect(world.look(for: 100) == [100] && world.look(for: 3) == [3])
        world.remake()
        world.forget()
        #expect(world.look(for: 100) == [100] && world.look(for: 3) == [])
    }

    @Test("made anew behind the look-up's back: before it opens the file that has the name")
    func beforeOpen() throws {
        let world = try World()
        world.directory.next(.before) {
            world.remake()
            world.forget()
        }
        #expect(world.look(for: 100) == [100])
    }

    @Test("made anew while the file of before is still kept open")
    func stillKept() throws {
        let world = try World()
        #expect(world.look(for: 100) == [100])
        world.remake()
        #expect(world.look(for: 100) == [100])
    }

    @Test("made anew while the file of before is being opened: it is not what the next look-up gets")
    func whileOpening() throws {
        let world = try World()
        world.directory.next(.behind) {
            world.remake()
            world.forget()
        }
        #expect(world.look(for: 100) == [100])
        #expect(world.look(for: 100) == [100] && world.look(for: 50) == [50])
    }
}
