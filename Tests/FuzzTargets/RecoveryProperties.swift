// Any files in a log directory.
//
//     it opens, whatever is there, unless a sequence has too many digits      nothing is served that no file held,
//     and nothing that was in order is lost: what is cut is kept
//     every record that is counted can be found, newest first                 a record more is stored, and is there
//     what a start has made of the directory the next one leaves alone: no tear, no copy, the same damage
//
// Promises: goes through the log's own door, on a directory in memory; time stands still, no timer runs.
// Must not know: which lines are sound, what is damage: DamageTests hold that against the contract.

import CallbackLog
import Platform
import Synchronization

enum RecoveryProperties {
    /// The request_id of the record that is added.
    private static let freshID = "fuzz"

    static func check(_ input: [UInt8]) throws(BrokenProperty) {
        let files = SegmentText.files(input)
        let directory = MemoryDirectory(files)
        var identifiers = Set(files.values.flatMap { $0.split(separator: 0x0A).compactMap(Visit.requestID) })
        identifiers.insert(Array(freshID.utf8))
        guard let first = try Visit(directory, identifiers, adding: nil) else { return }
        try first.holdNothingInvented(files)
        try KeptLines.check(files, directory.files)
        try hold(first.report.damages.count <= min(first.report.damageCount, 1_000), "\(first.report.damages.count) damages")

        guard let second = try Visit(directory, identifiers, adding: freshID) else {
            throw BrokenProperty(description: "what a start has left no start can open")
        }
        try second.holdSettled(after: first, "after a start")
        try hold(second.records == first.records && second.durable == first.durable, "the second start serves other records")
        // The room between the last record and the largest sequence was used up by the one added.
        guard let third = try Visit(directory, identifiers, adding: nil) else {
            return try hold(second.durable >= 999_999_999_999_999_997, "no start can open it behind \(second.durable)")
        }
        try third.holdSettled(after: second, "after a record more")
        try hold(third.durable == max(second.durable, second.added ?? 0), "the durable position is \(third.durable)")
        let old = third.records.filter { $0.key != second.added }
        try hold(old == second.records.filter { $0.key != second.added }, "a record more has changed others")
        if let added = second.added { try hold(third.records[added] != nil, "the record that was acknowledged is gone") }
    }
}

/// What recovery must not lose, sound or not: it may cut and copy, and what it cut it keeps.
private enum KeptLines {
    /// Every line with a checksum of its own that was in order in a segment, below its successor, still stands in
    /// some file. What stands at or beyond the successor is of no account (API.md §7), and goes with a copy.
    static func check(_ before: [String: [UInt8]], _ after: [String: [UInt8]]) throws(BrokenProperty) {
        let segments = before.compactMap { name, content in
            name.utf8.count == 26 && name.hasSuffix(".jsonl") ? UInt64(name.dropLast(6)).map { ($0, name, content) } : nil
        }.sorted { $0.0 < $1.0 }
        let changed = segments.filter { after[$0.1] != $0.2 }
        guard !changed.isEmpty else { return }
        let left = Set(after.values.flatMap { $0.split(separator: 0x0A).map(Visit.withoutPadding) })
        for (first, name, content) in changed {
            let successor = segments.first { $0.0 > first }?.0 ?? .max
            var last: UInt64 = 0
            for line in content.split(separator: 0x0A).map(Visit.withoutPadding) {
                guard let sequence = sequence(line), sequence > last, sequence < successor else { continue }
                last = sequence
                try hold(left.contains(line), "a line of \(name) is nowhere any more: \(String(decoding: line, as: UTF8.self))")
            }
        }
    }

    /// Nil where the line is no record's, or its checksum does not hold.
    private static func sequence(_ line: [UInt8]) -> UInt64? {
        let label = Array("{\"sequence\":".utf8)
        guard line.count > 21, line.starts(with: label),
            UInt32(String(decoding: line.suffix(10).prefix(8), as: UTF8.self), radix: 16) == SegmentText.checksum(line.dropLast(21))
        else { return nil }
        return UInt64(String(decoding: line.dropFirst(label.count).prefix { (0x30...0x39).contains($0) }, as: UTF8.self))
    }
}

/// One start, a look at everything, perhaps a record more, and a clean stop.
private struct Visit {
    let report: RecoveryReport
    let durable: UInt64
    /// The lines that are served, by sequence.
    private(set) var records: [UInt64: [UInt8]] = [:]
    /// The sequence of the record that was added.
    private(set) var added: UInt64?

    /// Nil where the log says that a sequence is too large.
    init?(_ directory: MemoryDirectory, _ identifiers: Set<[UInt8]>, adding identifier: String?) throws(BrokenProperty) {
        let time = LogTime(wallMilliseconds: { 1_779_301_225_031 }, monotonicMilliseconds: { 1_000 }, after: { _, _, _ in })
        let log: CallbackLog
        do throws(LogOpenFailure) {
            log = try CallbackLog(directory: directory, time: time)
        } catch {
            if case .sequenceTooLarge = error { return nil }
            throw BrokenProperty(description: "it does not open: \(error)")
        }
        defer { log.close() }
        report = log.report
        durable = log.durable
        do throws(RecordReadFailure) {
            try look(at: log, identifiers)
        } catch {
            throw BrokenProperty(description: "a record that was counted cannot be read: \(error)")
        }
        try hold(records.count == report.records, "\(report.records) records are counted, \(records.count) found")
        try hold(records.keys.allSatisfy { $0 <= durable }, "a record above the durable position \(durable)")
        if let identifier { try add(identifier, to: log) }
    }

    private mutating func look(at log: CallbackLog, _ identifiers: Set<[UInt8]>) throws(RecordReadFailure) {
        var reader = RecordReader()
        for identifier in identifiers {
            for location in try log.records(of: identifier.span, using: &reader) {
                let record = try log.read(location, using: &reader)
                records[record.sequence] = Array(reader.bytes[..<reader.count])
            }
        }
    }

    private mutating func add(_ identifier: String, to log: CallbackLog) throws(BrokenProperty) {
        let outcomes = Mutex<[AppendOutcome]>([])
        let recipient = log.addRecipient { list in outcomes.withLock { $0 += list.map(\.outcome) } }
        let name = Array(identifier.utf8)
        let record = name + Array("{\"new\":true}".utf8)
        let submission = Submission(
            record: record, requestID: 0..<name.count, payload: name.count..<record.count, status: .sent, recipient: recipient, ticket: 1)
        try hold(log.append(submission), "the log takes nothing")
        log.close()
        let said = outcomes.withLock { $0 }
        guard said.count == 1, case .stored(let sequence, let isDuplicate) = said[0] else {
            throw BrokenProperty(description: "the record more was answered \(said)")
        }
        if isDuplicate { return try hold(records[sequence] != nil, "a duplicate of what is not there") }
        try hold(sequence == durable + 1, "\(sequence) follows \(durable)")
        added = sequence
    }

    /// Each line that is served stands in one of `files`, whole.
    func holdNothingInvented(_ files: [String: [UInt8]]) throws(BrokenProperty) {
        let lines = Set(files.values.flatMap { $0.split(separator: 0x0A).map(Self.withoutPadding) })
        for (sequence, line) in records {
            try hold(lines.contains(line), "record \(sequence) was in no file: \(String(decoding: line, as: UTF8.self))")
            let checksum = SegmentText.checksum(line.dropLast(21))
            let written = line.suffix(10).prefix(8)
            try hold(UInt32(String(decoding: written, as: UTF8.self), radix: 16) == checksum, "record \(sequence) has another checksum")
        }
    }

    func holdSettled(after before: Visit, _ when: String) throws(BrokenProperty) {
        try hold(report.tear == nil, "\(when) there is a tear: \(String(describing: report.tear))")
        try hold(report.copied == 0, "\(when) \(report.copied) records are unproven")
        try hold(report.damageCount == before.report.damageCount, "\(when) there are \(report.damageCount) damages, not \(before.report.damageCount)")
        try hold(report.damages == before.report.damages, "\(when) the damages are \(report.damages), not \(before.report.damages)")
    }

    static func withoutPadding(_ line: ArraySlice<UInt8>) -> [UInt8] {
        Array(line.drop { $0 == 0 }.reversed().drop { $0 == 0 }.reversed())
    }

    private static let label = Array(",\"request_id\":\"".utf8)

    /// The value of the first `request_id` of a line, sound or not.
    static func requestID(_ line: ArraySlice<UInt8>) -> [UInt8]? {
        guard let start = line.indices.first(where: { line[$0] == 0x2C && line[$0...].starts(with: label) }) else { return nil }
        var identifier: [UInt8] = []
        var rest = line[(start + label.count)...]
        while let byte = rest.popFirst(), byte != 0x22 {
            if byte != 0x5C { identifier.append(byte) } else if let escaped = rest.popFirst() { identifier.append(escaped) }
        }
        return identifier
    }
}
