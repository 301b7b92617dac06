// Figures of the open segment: how fast a start reads it, and how long a look-up takes.
//
// Promises: a log of a million records in one segment, so that none of it is left to index files (ScaleFigures.swift has
// these), in the page cache; look-ups at random places, through the calls that the server makes. The peer of recovery
// reads the same files and finds every line feed.
// Must not know: HTTP.

import CallbackLog
import Foundation
import Platform

enum LogFigures {
    static let records = 1_000_000
    private static let idsSampled = 65_536
    /// More than the records have, below what an index of a segment can address.
    private static let segmentBytesMax = 1 << 30
    private static let readBytes = 1 << 20

    static func measure(_ measuring: Measuring, in workplace: Workplace, into table: inout Table) throws {
        Progress.say("writing a log of \(text(Double(records))) records")
        let path = workplace.path + "/micro"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bytes = try SampleLog.write(records: records, to: path, segmentBytesMax: segmentBytesMax)
        try recovery(measuring, path, bytes, into: &table)
        try lookUps(measuring, path, into: &table)
    }

    private static func recovery(_ measuring: Measuring, _ path: String, _ bytes: Int, into table: inout Table) throws {
        var here: [Double] = []
        var peer: [Double] = []
        // The first round brings everything into the page cache and is not counted.
        for round in 0...measuring.rounds {
            let peerNanoseconds = try measuring.onceNanoseconds { try lineFeeds(in: path) }
            let nanoseconds = try measuring.onceNanoseconds {
                let log = try CallbackLog.open(path: path)
                defer { log.close() }
                guard log.report.records == records, log.report.copied == 0, log.report.tear == nil,
                    log.report.damageCount == 0
                else { throw BenchmarkFailure("the sample log is not sound: \(log.report)") }
                return log.report.records
            }
            guard round > 0 else { continue }
            here.append(Double(bytes) * 1_000 / nanoseconds)
            peer.append(Double(bytes) * 1_000 / peerNanoseconds)
        }
        let figure = median(here)
        table.add(
            "open a log of \(bytes / 1_000_000) MB (\(text(Double(records))) records in one segment), MB/s", text(figure),
            peer: "read and memchr \(text(median(peer)))", ratio: figure / median(peer), target: "≥ 500",
            isReached: figure >= 500)
    }

    /// Reads every file once and counts lines: what any scan must do at least.
    private static func lineFeeds(in path: String) throws -> Int {
        let directory = try SystemDirectory(creating: path)
        var buffer = [UInt8](repeating: 0, count: readBytes)
        var count = 0
        for name in try directory.names() {
            let file = try directory.open(name)
            var offset: Int64 = 0
            while true {
                let got = try file.read(at: offset, count: buffer.count, into: &buffer, from: 0)
                if got == 0 { break }
                offset += Int64(got)
                let bytes = buffer.span.extracting(0..<got)
                var from = 0
                while let feed = ByteSearch.firstIndex(of: 0x0A, in: bytes, from: from) {
                    count += 1
                    from = feed + 1
                }
            }
        }
        return count
    }

    private static func lookUps(_ measuring: Measuring, _ path: String, into table: inout Table) throws {
        let log = try CallbackLog.open(path: path)
        defer { log.close() }
        var numbers = SeededNumbers(seed: 2)
        func ids(_ series: UInt32) -> [[UInt8]] {
            (0..<idsSampled).map { _ in
                Array(Sample.requestID(series: series, number: .random(in: 1...UInt64(records), using: &numbers)).utf8)
            }
        }
        let known = ids(Sample.knownSeries)
        let unknown = ids(Sample.unknownSeries)
        var reader = RecordReader()
        var next = 0
        func find(_ ids: [[UInt8]], count: Int) throws -> Int {
            next = (next + 1) % ids.count
            let identifier = ids[next]
            let found = try log.records(of: identifier.span, using: &reader)
            guard found.count == count else {
                throw BenchmarkFailure("a look-up found \(found.count) records, not \(count)")
            }
            return found.count
        }
        let hit = try measuring.nanoseconds { try find(known, count: 1) }
        let miss = try measuring.nanoseconds { try find(unknown, count: 0) }
        table.add("look up an id that is there, its record read and verified, ns", text(hit))
        table.add("look up an id that is not there, ns", text(miss))
    }
}
