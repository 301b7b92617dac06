// The cache of open files: bounded, the longest unused goes first, and what was forgotten is opened again.
//
// Promises: counts the opens of a MemoryDisk, and holds a file weakly to see whether anybody else does.
// Must not know: what is in the files.

import Glibc
import Platform
import Synchronization
import Testing

@testable import CallbackLog

@Suite struct OpenFilesTests {
    /// A disk with so many segments and indexes, empty.
    private func disk(_ count: Int) -> MemoryDisk {
        var files: [String: [UInt8]] = [:]
        for first in 1...count {
            files[SegmentName.name(first: UInt64(first))] = []
            files[SegmentName.index(first: UInt64(first))] = []
        }
        return MemoryDisk(files)
    }

    /// An index of the segment that begins with `first`, as it was made for the `number`th time.
    private func index(_ first: UInt64, number: UInt64 = 1) -> IndexFile {
        var summary = SegmentSummary(first: first, successor: first + 1, segmentBytes: 0)
        summary.number = number
        return IndexFile(summary: summary, filter: RequestFilter(records: 0))
    }

    @Test("a file is opened once, and a segment and its index are two")
    func once() throws {
        let disk = disk(2)
        let files = OpenFiles(disk)
        let indexes = [index(1), index(2)]
        for _ in 0..<3 {
            for (first, index) in zip([1, 2] as [UInt64], indexes) {
                #expect(try files.segment(first).name == SegmentName.name(first: first))
                #expect(try files.file(of: index).name == SegmentName.index(first: first))
            }
        }
        #expect(disk.count(.open) == 4)
    }

    @Test("where the process has no descriptor left, those that are kept are let go, and the file is opened")
    func exhausted() throws {
        let disk = disk(5)
        let files = OpenFiles(disk, countMax: 3)
        weak var first: (any File)?
        do { first = try files.segment(1) }
        for number in 2...3 as ClosedRange<UInt64> { _ = try files.segment(number) }
        #expect(first != nil)
        _ = try files.segment(4)
        #expect(first == nil, "three are the most")
        do { first = try files.segment(2) }
        disk.inject(Fault(.fails(EMFILE), on: [.open], times: 1))
        #expect(try files.segment(5).name == SegmentName.name(first: 5))
        #expect(first == nil)
        disk.inject(Fault(.fails(EMFILE), on: [.open]))
        #expect(throws: SystemError(operation: "open", path: SegmentName.name(first: 1), code: EMFILE)) { try files.segment(1) }
    }

    @Test("no more are kept than the bound; one more takes the place of that which was unused for longest")
    func bound() throws {
        let disk = disk(OpenFiles.countMax + 10)
        let files = OpenFiles(disk)
        weak var first: (any File)?
        weak var second: (any File)?
        do {
            first = try files.segment(1)
            second = try files.segment(2)
        }
        for number in 3...UInt64(OpenFiles.countMax) { _ = try files.segment(number) }
        #expect(first != nil && second != nil)
        _ = try files.segment(1)
        #expect(disk.count(.open) == OpenFiles.countMax)
        _ = try files.segment(UInt64(OpenFiles.countMax + 1))
        #expect(first != nil, "used again")
        #expect(second == nil, "the longest unused, and closed")
        _ = try files.segment(1)
        #expect(disk.count(.open) == OpenFiles.countMax + 1)
        _ = try files.segment(2)
        #expect(disk.count(.open) == OpenFiles.countMax + 2)
    }

    @Test("a file that is held stays readable when its place is taken, and when it is forgotten")
    func held() throws {
        let disk = MemoryDisk([SegmentName.name(first: 1): Array("held".utf8)])
        let files = OpenFiles(disk)
        let file = try files.segment(1)
        files.forget(1)
        try disk.remove(SegmentName.name(first: 1))
        var bytes = [UInt8](repeating: 0, count: 4)
        #expect(try file.read(at: 0, count: 4, into: &bytes, from: 0) == 4)
        #expect(bytes == Array("held".utf8))
    }

    @Test("what was forgotten is opened again, and only that")
    func forgotten() throws {
        let disk = disk(2)
        let files = OpenFiles(disk)
        let indexes = [index(1), index(2)]
        func openAll() throws {
            for first in [1, 2] as [UInt64] { _ = try files.segment(first) }
            for index in indexes { _ = try files.file(of: index) }
        }
        try openAll()
        files.forget(1)
        files.forget(99)
        let before = disk.calls.count
        try openAll()
        #expect(disk.calls[before...].map(\.name) == [SegmentName.name(first: 1), SegmentName.index(first: 1)])
    }

    @Test("an index that was made anew has a file of its own, whatever is kept of the one before")
    func anew() throws {
        let disk = disk(1)
        let files = OpenFiles(disk)
        let (before, after) = (index(1), index(1, number: 2))
        let old = try files.file(of: before)
        try disk.remove(SegmentName.index(first: 1))
        _ = try disk.create(SegmentName.index(first: 1))
        #expect(try files.file(of: after) !== old)
        #expect(try files.file(of: before) === old)
    }

    @Test("a file that cannot be opened is no file, and is tried again")
    func failed() throws {
        let disk = disk(1)
        let files = OpenFiles(disk)
        disk.inject(Fault(.fails(EIO), on: [.open], times: 2))
        for _ in 0..<2 { #expect(throws: SystemError.self) { try files.segment(1) } }
        #expect(try files.segment(1).name == segmentName(1))
        #expect(throws: SystemError.self) { try files.segment(2) }
    }

    @Test("a file that is forgotten while it is being opened is not kept: its disk space would go with nobody")
    func forgottenMeanwhile() throws {
        let disk = InterruptedDirectory(disk(1))
        let files = OpenFiles(disk)
        disk.interrupt { files.forget(1) }
        weak var file: (any File)?
        do { file = try files.segment(1) }
        #expect(file == nil)
        disk.interrupt {}
        do { file = try files.segment(1) }
        #expect(file != nil)
    }
}

/// A directory where something happens between the opening of a file and the answer.
private final class InterruptedDirectory: Directory {
    private let disk: MemoryDisk
    private let interruption = Mutex<@Sendable () -> Void>({})

    init(_ disk: MemoryDisk) { self.disk = disk }

    func interrupt(_ body: @escaping @Sendable () -> Void) { interruption.withLock { $0 = body } }

    func open(_ name: String) throws(SystemError) -> any File {
        let file = try disk.open(name)
        interruption.withLock { $0 }()
        return file
    }

    var path: String { disk.path }
    func openToWrite(_ name: String) throws(SystemError) -> any File { try disk.openToWrite(name) }
    func size(of name: String) throws(SystemError) -> Int64 { try disk.size(of: name) }
    func names() throws(SystemError) -> [String] { try disk.names() }
    func create(_ name: String) throws(SystemError) -> any File { try disk.create(name) }
    func rename(_ old: String, to new: String) throws(SystemError) { try disk.rename(old, to: new) }
    func remove(_ name: String) throws(SystemError) { try disk.remove(name) }
    func synchronize() throws(SystemError) { try disk.synchronize() }
    func isGone() throws(SystemError) -> Bool { try disk.isGone() }
    func freeBytes() throws(SystemError) -> Int64 { try disk.freeBytes() }
}
