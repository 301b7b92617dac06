// A log of millions of records, on disk: written, thinned out where it is very long, brought back to what it was.
//
//     write 10 million ─▶ index files ─▶ empty the sealed segments ─▶ write the next 10 million ─▶ …
//
// Promises: written by LogFiles from VariedSample, one record a millisecond up to now, in a directory of its own; a list of its
// segments beside it says that it is complete, and what it was before servers wrote to it. Of more than ten million
// records the older segments are holes of the right size, with real index files: a disk has room for these, and a start
// or a look-up of what is not there reads nothing else. Index files are the server's: here they are counted, and removed
// so that they are made again.
// Must not know: what is measured.

import CallbackLog
import Foundation
import Platform

struct LongLog {
    /// A record's line and its part of the index files, at most.
    private static let recordBytesMax: Int64 = 640
    private static let indexBytesMax: Int64 = 100
    /// Of more, the older ones are thinned out.
    private static let wholeRecordsMax = 10_000_000
    private static let segmentSuffix = ".jsonl"
    private static let indexSuffix = ".index"
    /// What is derived of the log as a whole.
    private static let derivedNames = [supersededName, "expectations"]
    private static let supersededName = "superseded"
    private static let progressRecords = 1_000_000

    let path: String
    let records: Int
    /// Segments as they were written, oldest first.
    private(set) var segments: [(name: String, bytes: Int64)] = []
    /// Of `derivedNames`, as they were of the log as it was written.
    private var derived: [String: [UInt8]] = [:]
    private let directory: SystemDirectory

    /// What a log of so many records takes on disk, at most.
    static func bytesMax(records: Int) -> Int64 {
        Int64(min(records, wholeRecordsMax)) * recordBytesMax + Int64(max(0, records - wholeRecordsMax)) * indexBytesMax
    }

    /// In a folder of its own in `parent`: written now, unless it is there already. `index` makes the index files that are
    /// missing.
    init(records: Int, in parent: String, index: (LongLog) throws -> Void) throws {
        self.records = records
        path = parent + "/log-\(records)"
        directory = try SystemDirectory(creating: path)
        let list = (try? String(contentsOfFile: path + ".list", encoding: .utf8)) ?? ""
        segments = list.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            return words.count == 2 ? Int64(words[1]).map { (String(words[0]), $0) } : nil
        }
        if segments.isEmpty { try write(index) } else { try restore() }
    }

    static func isThinnedOut(records: Int) -> Bool { records > wholeRecordsMax }
    var isThinnedOut: Bool { Self.isThinnedOut(records: records) }

    /// Numbers of callbacks that can be read.
    var there: ClosedRange<UInt64> { UInt64((records - 1) / Self.wholeRecordsMax * Self.wholeRecordsMax + 1)...UInt64(records) }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
        try? FileManager.default.removeItem(atPath: path + ".list")
    }

    var bytes: Double { segments.reduce(0) { $0 + Double($1.bytes) } }
    var newestSegmentBytes: Double { Double(segments.last?.bytes ?? 0) }

    private mutating func write(_ index: (LongLog) throws -> Void) throws {
        try VariedSample.check()
        for name in try directory.names() { try directory.remove(name) }
        let start = Clock.wallMilliseconds() - Int64(records)
        for written in stride(from: 0, to: records, by: Self.wholeRecordsMax) {
            if written > 0 {
                try index(self)
                try thinOut()
            }
            try write((written + 1)...min(records, written + Self.wholeRecordsMax), startMilliseconds: start)
        }
        for name in try names(Self.segmentSuffix) { segments.append((name, try directory.open(name).size())) }
        let text = segments.map { "\($0.name) \($0.bytes)\n" }.joined()
        try text.write(toFile: path + ".list", atomically: true, encoding: .utf8)
    }

    private func write(_ numbers: ClosedRange<Int>, startMilliseconds: Int64) throws {
        let begun = Clock.monotonicNanoseconds()
        var files = LogFiles(in: directory)
        var sample = VariedSample()
        for number in numbers {
            sample.make(UInt64(number))
            try files.append(
                sequence: UInt64(number), receivedAt: Timestamp(milliseconds: startMilliseconds + Int64(number)),
                requestID: sample.payload.span.extracting(sample.requestID), status: sample.status,
                payload: sample.payload.span)
            if number % Self.progressRecords == 0 {
                let seconds = Double(Clock.monotonicNanoseconds() - begun) / 1_000_000_000
                Progress.say("\(text(Double(number))) of \(text(Double(records))) records written, \(text(seconds)) s")
            }
        }
        let last = Timestamp(milliseconds: startMilliseconds + Int64(numbers.upperBound))
        try files.finish(receivedAt: last, durable: UInt64(numbers.upperBound))
        try directory.synchronize()
    }

    /// Makes holes of the sealed segments.
    private func thinOut() throws {
        for name in try names(Self.segmentSuffix).dropLast() {
            let file = try directory.openToWrite(name)
            let bytes = try file.size()
            try file.truncate(to: 0)
            try file.truncate(to: bytes)
        }
    }

    /// A server has made all that is derived, and added nothing: `restore` brings that back.
    mutating func keepDerived() throws {
        for name in try directory.names() where Self.derivedNames.contains(name) {
            let file = try directory.open(name)
            var bytes = [UInt8](repeating: 0, count: Int(try file.size()))
            _ = try file.read(at: 0, count: bytes.count, into: &bytes, from: 0)
            derived[name] = bytes
        }
    }

    /// Takes away what servers added: records, and index files of what was no sealed segment before.
    func restore() throws {
        let sealed = Set(segments.dropLast().map { Self.stem($0.name) })
        let kept = Dictionary(uniqueKeysWithValues: segments.map { ($0.name, $0.bytes) })
        for name in try directory.names() {
            if let bytes = kept[name] {
                let file = try directory.openToWrite(name)
                if try file.size() > bytes { try file.truncate(to: bytes) }
            } else if name.contains(Self.segmentSuffix) || (name.hasSuffix(Self.indexSuffix) && !sealed.contains(Self.stem(name))) {
                try directory.remove(name)
            } else if Self.derivedNames.contains(name) {
                try directory.remove(name)
            }
        }
        for (name, bytes) in derived { _ = try directory.create(name).write(bytes, from: 0, at: 0) }
        try directory.synchronize()
    }

    // MARK: index files

    /// The rules that the server's index files were made by (Index/IndexFileFormat.swift): whoever opens the log by others
    /// makes them anew.
    func indexVersions() throws -> DerivedVersions {
        guard let name = try names(Self.indexSuffix).last else { return DerivedVersions(decoder: 0, verdicts: 0) }
        var bytes = [UInt8](repeating: 0, count: 8)
        _ = try directory.open(name).read(at: 12, count: bytes.count, into: &bytes, from: 0)
        func number(_ start: Int) -> UInt32 { bytes[start..<(start + 4)].reversed().reduce(0) { $0 << 8 | UInt32($1) } }
        return DerivedVersions(decoder: number(0), verdicts: number(4))
    }

    func removeIndexFiles() throws {
        for name in try names(Self.indexSuffix) { try directory.remove(name) }
    }

    /// Sealed segments without an index file.
    func missingIndexFiles() throws -> Int {
        let indexed = Set(try names(Self.indexSuffix).map(Self.stem))
        return try names(Self.segmentSuffix).dropLast().count { !indexed.contains(Self.stem($0)) }
    }

    /// The server has found out which records are superseded, and kept it.
    func isSupersessionKnown() throws -> Bool { try directory.names().contains(Self.supersededName) }

    func indexBytes() throws -> Double {
        try names(Self.indexSuffix).reduce(0) { $0 + Double(try directory.open($1).size()) }
    }

    /// Oldest first.
    private func names(_ suffix: String) throws -> [String] { try directory.names().filter { $0.hasSuffix(suffix) }.sorted() }

    private static func stem(_ name: String) -> String { String(name.prefix { $0 != "." }) }
}
