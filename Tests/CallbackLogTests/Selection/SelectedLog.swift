// A log of requests with several kinds of records, and what must be found in it: by reading every line.
//
// Promises: the reference reads the segments' files and folds all lines, each time; it uses no index. Payloads are
// written so that the test's own describer understands them.
// Must not know: how a selection is found.

import Platform
import TestSupport

@testable import CallbackLog

/// A line of a segment.
struct StoredLine {
    let sequence: UInt64
    let requestID: String
    let kind: RecordKind
    let receivedAt: Timestamp
    /// Payload or members.
    let text: String
}

/// A request as its lines make it.
struct ExpectedRequest: Equatable {
    var newest: UInt64 = 0
    var updatedAt = Timestamp(milliseconds: 0)
    /// 1 to 5, as RecordSelection has them.
    var status: UInt8 = 0
    var failureClass: UInt8 = 0
    var session: String?
    var reference: String?

    func isWanted(by selection: RecordSelection) -> Bool {
        guard selection.statuses >> UInt16(status) & 1 == 1, status > 3 || selection.failureClasses >> UInt16(failureClass) & 1 == 1 else { return false }
        if let since = selection.since, updatedAt < since { return false }
        if let until = selection.until, updatedAt >= until { return false }
        guard let key = selection.key else { return true }
        return Array((key.kind == .reference ? reference : session)?.utf8 ?? "".utf8) == key.value
    }
}

enum SelectedLog {
    /// `{"s":2,"c":3,"k":"abc","n":1}`: status, failure class, session.
    static func payload(status: UInt8, failureClass: UInt8, session: String, _ number: Int) -> String {
        "{\"s\":\(status),\"c\":\(failureClass),\"k\":\"\(session)\",\"n\":\(number)}"
    }

    static func members(seconds: Int, reference: String) -> String {
        "\"overdue_after\":\(seconds),\"reference\":\"\(reference)\",\"metadata\":{}"
    }

    /// What stands behind `"name":` up to the next comma, without quotes.
    static func value(_ name: String, in text: String) -> String? {
        guard let start = text.firstRange(of: "\"\(name)\":") else { return nil }
        return String(text[start.upperBound...].prefix { $0 != "," && $0 != "}" }.filter { $0 != "\"" })
    }

    @Sendable static func describe(_ kind: RecordKind, _ members: Span<UInt8>, _ description: inout RecordDescription) {
        var bytes: [UInt8] = []
        for index in members.indices { bytes.append(members[index]) }
        let text = String(decoding: bytes, as: UTF8.self)
        if kind == .callback {
            description.status = value("s", in: text).flatMap { UInt8($0) } ?? 0
            description.failureClass = value("c", in: text).flatMap { UInt8($0) } ?? 0
            if let session = value("k", in: text) { description.add(.sessionID) { $0.append(contentsOf: session.utf8) } }
        } else if kind == .announcement, let reference = value("reference", in: text) {
            description.add(.reference) { $0.append(contentsOf: reference.utf8) }
        }
    }

    static func open(
        _ disk: MemoryDisk, segmentBytesMax: Int64 = 2_000, hashMask: UInt64 = .max, clock: TurnedClock,
        change: (inout LogOptions) -> Void = { _ in }
    ) throws -> OpenLog {
        try OpenLog(disk, segmentBytesMax: segmentBytesMax, hashMask: hashMask, clock: clock) {
            $0.hasUpkeep = true
            $0.describe = describe
            change(&$0)
        }
    }

    /// Appends a random record of one of `ids` requests; now and then time passes.
    static func appendRandom(to open: OpenLog, ids: Int, number: Int, using numbers: inout SeededGenerator) {
        let id = "id-\(Int.random(in: 0..<ids, using: &numbers))"
        if Int.random(in: 0..<4, using: &numbers) == 0 {
            _ = open.submitAnnouncement(
                id, members(seconds: [1, 20, 600][Int.random(in: 0..<3, using: &numbers)], reference: "r\(Int.random(in: 0..<6, using: &numbers))"))
        } else {
            // A rare status, and one that most have.
            let status: UInt8 = [1, 1, 1, 1, 2, 2, 3][Int.random(in: 0..<7, using: &numbers)]
            let failureClass = status == 2 ? UInt8.random(in: 1...8, using: &numbers) : 0
            _ = open.submit(id, payload(status: status, failureClass: failureClass, session: "k\(Int.random(in: 0..<6, using: &numbers))", number))
        }
        if Int.random(in: 0..<5, using: &numbers) == 0 {
            open.settle()
            open.clock.advance(milliseconds: Int64.random(in: 0..<4_000, using: &numbers))
        }
    }

    // MARK: the reference

    /// Every sound line of the log on `disk`, oldest first.
    static func lines(_ disk: MemoryDisk) -> [StoredLine] {
        let files = disk.allFiles
        let firsts = files.keys.compactMap { SegmentName.firstSequence(of: $0) }.sorted()
        var lines: [StoredLine] = []
        for (ordinal, first) in firsts.enumerated() {
            let successor = ordinal + 1 < firsts.count ? firsts[ordinal + 1] : .max
            for text in (files[SegmentName.name(first: first)] ?? []).split(separator: 0x0A) {
                let bytes = Array(text)
                guard let line = ParsedLine(bytes.span), let sequence = line.sequence, sequence < successor, sequence > lines.last?.sequence ?? 0
                else { continue }
                var identifier: [UInt8] = []
                line.appendRequestID(of: bytes.span, to: &identifier)
                lines.append(
                    StoredLine(
                        sequence: sequence, requestID: String(decoding: identifier, as: UTF8.self), kind: line.kind, receivedAt: line.receivedAt,
                        text: String(decoding: bytes[line.payload], as: UTF8.self)))
            }
        }
        return lines
    }

    /// The requests as of a position, by the sequence of their newest record, ascending.
    static func requests(_ lines: [StoredLine], asOf position: UInt64 = .max) -> [ExpectedRequest] {
        let byRequest = Dictionary(grouping: lines.filter { $0.sequence <= position && $0.kind != .unknown }) { $0.requestID }
        return byRequest.values.map { folded($0) }.sorted { $0.newest < $1.newest }
    }

    /// A request of these lines, oldest first.
    static func folded(_ lines: [StoredLine]) -> ExpectedRequest {
        var request = ExpectedRequest()
        request.newest = lines.last?.sequence ?? 0
        request.updatedAt = lines.last?.receivedAt ?? request.updatedAt
        let announcements = lines.filter { $0.kind == .announcement }
        request.reference = announcements.last.flatMap { value("reference", in: $0.text) }
        if let callback = lines.last(where: { $0.kind == .callback }) {
            request.status = value("s", in: callback.text).flatMap { UInt8($0) } ?? 0
            request.failureClass = value("c", in: callback.text).flatMap { UInt8($0) } ?? 0
            request.session = value("k", in: callback.text)
        } else {
            let seconds = announcements.last.flatMap { value("overdue_after", in: $0.text) }.flatMap { Int64($0) } ?? 0
            let due = (announcements.first?.receivedAt.milliseconds ?? 0) + seconds * 1_000
            let found = lines.last { $0.kind == .overdue }
            request.status = found.map { $0.receivedAt.milliseconds >= due } ?? false ? 5 : 4
        }
        return request
    }
}

extension OpenLog {
    /// What a scan gives that is right, as its user finds it: each candidate looked up, and its request folded.
    func selected(
        _ selection: RecordSelection, asOf position: UInt64, isNewestFirst: Bool = true, behind: UInt64? = nil, candidatesMax: Int = 100,
        workMax: Int = 5_000, keyRecordsMax: Int = KeySearch.recordsMax
    ) throws(RecordReadFailure) -> [ExpectedRequest] {
        var scan = SelectionScan(selection, asOf: position, isNewestFirst: isNewestFirst, behind: behind, keyRecordsMax: keyRecordsMax)
        var reader = RecordReader()
        var found: [ExpectedRequest] = []
        while !scan.isFinished {
            var candidates: [RecordLocation] = []
            try scan.next(log, candidatesMax: candidatesMax, workMax: workMax, using: &reader, into: &candidates)
            for candidate in candidates {
                if let request = try verified(candidate, selection, asOf: position, using: &reader) { found.append(request) }
            }
        }
        return found
    }

    /// The request whose newest record `candidate` is as of `position`, where it is wanted.
    func verified(
        _ candidate: RecordLocation, _ selection: RecordSelection, asOf position: UInt64, using reader: inout RecordReader
    ) throws(RecordReadFailure) -> ExpectedRequest? {
        let record = try log.read(candidate, using: &reader)
        var identifier: [UInt8] = []
        record.appendRequestID(of: reader.bytes.span, to: &identifier)
        var lines: [StoredLine] = []
        for location in try log.records(of: identifier.span, using: &reader) where location.sequence <= position && location.kind != .unknown {
            let record = try log.read(location, using: &reader)
            lines.insert(
                StoredLine(
                    sequence: record.sequence, requestID: "", kind: record.kind, receivedAt: record.receivedAt,
                    text: String(decoding: reader.bytes[record.payload], as: UTF8.self)),
                at: 0)
        }
        let request = SelectedLog.folded(lines)
        return request.newest == candidate.sequence && request.isWanted(by: selection) ? request : nil
    }

    /// Every bucket of a tally.
    func tally(
        asOf position: UInt64, since: Timestamp? = nil, until: Timestamp? = nil, interval: Int64, bucketsMax: Int = 10_000, workMax: Int = 3_000
    ) throws(RecordReadFailure) -> [StateTally.Bucket] {
        var tally = StateTally(asOf: position, since: since, until: until, intervalMilliseconds: interval, bucketsMax: bucketsMax)
        var reader = RecordReader()
        while !tally.isFinished { try tally.next(log, workMax: workMax, using: &reader) }
        return tally.buckets
    }
}
