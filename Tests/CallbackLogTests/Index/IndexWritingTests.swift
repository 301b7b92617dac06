// Writing an index file on a disk that fails, takes less than it is given, and loses power.

import Glibc
import Platform
import Synchronization
import TestSupport
import Testing

@testable import CallbackLog

/// Counts what was written since it was last synchronized.
private final class WeighedFile: File {
    private let file: any File
    private let state = Mutex((unsynchronized: 0, most: 0, writes: [Int64]()))
    init(_ file: any File) { self.file = file }
    var name: String { file.name }
    /// The most bytes that were ever left to one synchronization.
    var most: Int { state.withLock { $0.most } }
    /// Where each write began.
    var writes: [Int64] { state.withLock { $0.writes } }
    func size() throws(SystemError) -> Int64 { try file.size() }
    func isLinked() throws(SystemError) -> Bool { try file.isLinked() }
    func read(at offset: Int64, count: Int, into buffer: inout [UInt8], from start: Int) throws(SystemError) -> Int {
        try file.read(at: offset, count: count, into: &buffer, from: start)
    }
    func write(_ bytes: [UInt8], from start: Int, at offset: Int64) throws(SystemError) -> Int {
        let count = try file.write(bytes, from: start, at: offset)
        state.withLock {
            $0.unsynchronized += count
            $0.most = max($0.most, $0.unsynchronized)
            $0.writes.append(offset)
        }
        return count
    }
    func synchronizeData() throws(SystemError) {
        state.withLock { $0.unsynchronized = 0 }
        try file.synchronizeData()
    }
    func truncate(to size: Int64) throws(SystemError) { try file.truncate(to: size) }
}

@Suite("An index file is whole, or is none")
struct IndexWritingTests {
    /// More than one piece.
    private static let large = SampleIndex(16_000)

    private func writer(_ file: any File, of sample: SampleIndex) -> IndexFileWriter {
        IndexFileWriter(
            file, first: sample.first, successor: sample.successor, segmentBytes: sample.segmentBytes, versions: SampleIndex.versions,
            hash: sample.hash)
    }

    private func isWhole(_ disk: MemoryDisk, _ sample: SampleIndex) throws -> Bool {
        guard let bytes = disk[SampleIndex.name] else { return false }
        let file = FixedFile(bytes)
        guard let index = try? sample.open(file) else { return false }
        var pages = IndexPageBuffer()
        try index.verify(in: file, using: &pages)
        #expect(index.summary.recordCount == sample.records.count)
        return true
    }

    @Test("it is synchronized in pieces, all of it, and its header comes last")
    func pieces() throws {
        let disk = MemoryDisk()
        let file = WeighedFile(try disk.create(SampleIndex.name))
        var writer = writer(file, of: Self.large)
        for record in Self.large.records {
            try writer.append(record.entry, receivedAt: record.receivedAt, status: 0, failureClass: 0, keys: record.keys.span)
        }
        _ = try writer.finish(last: 0, durable: 0, damages: [], damageCount: 0)
        #expect(try file.size() > IndexPageWriter.pieceBytes)
        #expect(file.most == IndexPageWriter.pieceBytes)
        #expect(file.writes.last == 0)
        #expect(file.writes.dropLast().allSatisfy { $0 >= IndexPage.bytes })
        #expect(try isWhole(disk.afterPowerLoss { $0 }, Self.large))
    }

    @Test("a disk that takes less than it is given gets all of it", arguments: [1_000, 4_095, 4_096, 10_000])
    func shortWrites(bytes: Int) throws {
        let disk = MemoryDisk()
        disk.inject(Fault(.writesOnly(bytes), on: [.write]))
        let sample = SampleIndex(600)
        try sample.write(on: disk)
        #expect(try disk[SampleIndex.name] == sample.written())
    }

    @Test("whichever call fails, the failure is told, and after a power loss it is whole or is none")
    func failures() throws {
        let sample = SampleIndex(600)
        var numbers = SeededGenerator(seed: 2)
        let clean = MemoryDisk()
        try sample.write(on: clean)
        let callCount = clean.calls.count { $0.operation == .write || $0.operation == .synchronizeData }
        #expect(callCount == 4)
        for effect in [.fails(EIO), .fails(ENOSPC), .failsThoughDone(EIO)] as [Fault.Effect] {
            for passing in 0..<callCount {
                let disk = MemoryDisk()
                disk.inject(Fault(effect, on: [.write, .synchronizeData], after: passing, times: 1))
                #expect(throws: SystemError.self) { try sample.write(on: disk) }
                for _ in 0..<20 {
                    // Whole where all of it happened to arrive; `isWhole` verifies that it is.
                    _ = try isWhole(disk.afterPowerLoss { Int.random(in: 0...$0, using: &numbers) }, sample)
                }
                if passing < 2 { #expect(try !isWhole(disk.afterKill(), sample)) }
            }
        }
        clean.state.withLock { $0.contents.names.synchronize() }
        #expect(try isWhole(clean.afterPowerLoss(), sample))
    }

    @Test("a record beyond the segment's size is refused: the segment grew while it was read")
    func grown() throws {
        var sample = SampleIndex(3)
        let end = Int64(sample.records[2].entry.offset) + Int64(sample.records[2].entry.length)
        sample.segmentBytes = end + 1
        #expect(try sample.written().count == 6 * IndexPage.bytes)
        sample.segmentBytes = end
        #expect(throws: SystemError(operation: "pread", path: SegmentName.name(first: 1_000), code: EIO)) { try sample.written() }
    }

    @Test("a key that a record has twice leads to it once")
    func repeatedKeys() throws {
        var sample = SampleIndex(50)
        for index in sample.records.indices { sample.records[index].keys = [7, UInt64(index), 7, 7] }
        let file = FixedFile(try sample.written())
        let index = try sample.open(file)
        #expect(try index.entries(ofKey: 7, in: file).map(\.sequence) == sample.records.reversed().map(\.entry.sequence))
        for countMax in [1, 49, 50, 51] {
            let newest = sample.records.reversed().prefix(countMax).map(\.entry.sequence)
            #expect(try index.entries(ofKey: 7, countMax: countMax, in: file).map(\.sequence) == newest)
        }
        var pages = IndexPageBuffer()
        try index.verify(in: file, using: &pages)
    }
}
