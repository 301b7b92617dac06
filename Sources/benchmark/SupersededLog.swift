// A log in which most requests of a rare status have moved on, and what it takes to find the newest that have not.
//
//     VariedSample's callbacks; of the unrecognized ones, 2 in 100, all but one in a hundred are followed, a thousand
//     records later, by one of the same request that says it was sent
//
// Promises: written by LogFiles, opened by this process as a server opens it; nothing is timed before its index files are
// made and what is superseded is known. A request that is found was looked up and its newest callback decoded anew, as a
// list does. Must not know: how a selection is made.

import CallbackLog
import CrispCallback
import Foundation
import Platform

struct SupersededLog {
    /// As RecordSelection has them; the numbers are this benchmark's own.
    private static let sent: UInt8 = 1
    private static let rare: UInt8 = 3
    private static let followedAfter = 1_000
    private static let keptEach: UInt64 = 100
    private static let wantedRequests = 100
    private static let preparationSecondsMax = 600.0
    private static let workAtOnce = 1_000_000
    private static let tallyMilliseconds: Int64 = 3_600_000

    private let path: String
    private let records: Int

    /// Writes it into a folder of its own in `parent`.
    init(records: Int, in parent: String) throws {
        self.records = records
        path = parent + "/superseded-\(records)"
        let directory = try SystemDirectory(creating: path)
        var files = LogFiles(in: directory)
        var sample = VariedSample()
        var followed: [[UInt8]] = []
        var oldest = 0
        var rareCount: UInt64 = 0
        var number: UInt64 = 0
        let start = Clock.wallMilliseconds() - Int64(records)
        for sequence in 1...UInt64(records) {
            let receivedAt = Timestamp(milliseconds: start + Int64(sequence))
            if sequence % 50 == 0, followed.count - oldest > Self.followedAfter / 50 {
                let identifier = followed[oldest]
                oldest += 1
                let payload = Array("{\"request_id\":\"".utf8) + identifier + Array("\",\"whatsapp_message_id\":\"wamid.HBgL\(sequence)\"}".utf8)
                try files.append(
                    sequence: sequence, receivedAt: receivedAt, requestID: identifier.span, status: .sent, payload: payload.span)
                continue
            }
            number += 1
            sample.make(number)
            try files.append(
                sequence: sequence, receivedAt: receivedAt, requestID: sample.payload.span.extracting(sample.requestID), status: sample.status,
                payload: sample.payload.span)
            guard sample.status == .unrecognized else { continue }
            rareCount += 1
            if rareCount % Self.keptEach != 0 { followed.append(Array(sample.payload[sample.requestID])) }
        }
        try files.finish(receivedAt: Timestamp(milliseconds: start + Int64(records)), durable: UInt64(records))
        try directory.synchronize()
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// How long the newest requests of the rare status take, and a tally of all by hour, in milliseconds.
    func times(_ rounds: Int) throws -> (newest: Double, tally: Double) {
        var options = LogOptions()
        options.describe = { kind, payload, description in
            guard kind == .callback, let reading = try? CallbackReading(payload: payload) else { return }
            description.status = reading.status == .sent ? Self.sent : reading.status == .unrecognized ? Self.rare : 2
        }
        let log = try CallbackLog.open(path: path, options: options)
        defer { log.close() }
        let end = Clock.monotonicNanoseconds() + Int64(Self.preparationSecondsMax * 1_000_000_000)
        while try tally(log) == nil {
            guard Clock.monotonicNanoseconds() < end else { throw BenchmarkFailure("it is not known in time what is superseded") }
            Thread.sleep(forTimeInterval: 0.1)
        }
        var newest: [Double] = []
        var tallies: [Double] = []
        for _ in 0..<rounds {
            newest.append(try newestRequests(log))
            if let milliseconds = try tally(log) { tallies.append(milliseconds) }
        }
        return (median(newest), median(tallies))
    }

    private func newestRequests(_ log: CallbackLog) throws -> Double {
        var selection = RecordSelection()
        selection.statuses = 1 << UInt16(Self.rare)
        var reader = RecordReader()
        var candidates: [RecordLocation] = []
        var found = 0
        let begun = Clock.monotonicNanoseconds()
        var scan = SelectionScan(selection, asOf: log.durable, isNewestFirst: true)
        while found < Self.wantedRequests, !scan.isFinished {
            candidates.removeAll(keepingCapacity: true)
            try scan.next(log, candidatesMax: Self.wantedRequests - found, workMax: Self.workAtOnce, using: &reader, into: &candidates)
            for candidate in candidates {
                let record = try log.read(candidate, using: &reader)
                var identifier: [UInt8] = []
                record.appendRequestID(of: reader.bytes.span, to: &identifier)
                guard let newest = try log.records(of: identifier.span, using: &reader).first, newest.sequence == candidate.sequence else { continue }
                let callback = try log.read(newest, using: &reader)
                if try CallbackReading(payload: reader.bytes.span.extracting(callback.payload)).status == .unrecognized { found += 1 }
            }
        }
        let milliseconds = Double(Clock.monotonicNanoseconds() - begun) / 1_000_000
        guard found == Self.wantedRequests || scan.isFinished else { throw BenchmarkFailure("\(found) requests of the rare status") }
        return milliseconds
    }

    /// Nil while it is not known what is superseded.
    private func tally(_ log: CallbackLog) throws -> Double? {
        var reader = RecordReader()
        let begun = Clock.monotonicNanoseconds()
        var tally = StateTally(asOf: log.durable, intervalMilliseconds: Self.tallyMilliseconds, bucketsMax: 10_000)
        while !tally.isFinished {
            do throws(RecordReadFailure) {
                try tally.next(log, workMax: Self.workAtOnce, using: &reader)
            } catch {
                guard error == .indexing else { throw error }
                return nil
            }
        }
        return Double(Clock.monotonicNanoseconds() - begun) / 1_000_000
    }
}
