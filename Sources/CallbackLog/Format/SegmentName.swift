// Names of files in a log directory: which is a segment, and what stands beside it.
//
//     00000000000000000042.jsonl          a segment; the number is its first sequence, 20 digits
//     00000000000000000042.jsonl.torn     what a crash tore off, cut by recovery
//     00000000000000000042.jsonl.failed   a segment without a durable record, given up after a failed write
//     00000000000000000042.jsonl.new      being written by recovery; without meaning until renamed
//     00000000000000000042.index          the index of that segment; derived, may be deleted
//     00000000000000000042.index.new      being written; without meaning until renamed
//     superseded, superseded.new          which records are no longer the newest of their request; derived, likewise
//     expectations, expectations.new      which announcements are open; derived, likewise
//     identity, identity.new              the log's id and hash key; see Identity.swift
//
// Promises: only the first form is ever read as a log. Must not know what is in them.

enum SegmentName {
    static let suffix = ".jsonl"
    /// See SupersessionFile.swift.
    static let superseded = "superseded"
    static let digits = 20

    static func name(first sequence: UInt64) -> String { number(sequence) + suffix }

    /// The name of the index of the segment that begins at `sequence`.
    static func index(first sequence: UInt64) -> String { number(sequence) + indexSuffix }

    /// The first sequence of a segment of this name; nil where it is no segment's name.
    static func firstSequence(of name: String) -> UInt64? { sequence(of: name, before: suffix) }

    /// The first sequence of the segment whose index has this name; nil where it is no index's name.
    static func firstSequence(ofIndex name: String) -> UInt64? { sequence(of: name, before: indexSuffix) }

    /// The first sequence of the segment that a file of this name belongs to, whatever it is; nil for what is none of ours.
    static func firstSequence(ofAny name: String) -> UInt64? {
        for suffix in [suffix, indexSuffix] {
            for ending in ["", unfinishedSuffix, tornSuffix, failedSuffix] {
                if let first = sequence(of: name, before: suffix + ending) { return first }
            }
        }
        return nil
    }

    private static func number(_ sequence: UInt64) -> String {
        let number = String(sequence)
        return String(repeating: "0", count: digits - number.count) + number
    }

    private static func sequence(of name: String, before suffix: String) -> UInt64? {
        let bytes = Array(name.utf8)
        guard bytes.count == digits + suffix.utf8.count, name.hasSuffix(suffix) else { return nil }
        var value: UInt64 = 0
        for byte in bytes[..<digits] {
            guard byte &- 48 < 10 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(byte - 48))
            if overflow || carry { return nil }
            value = sum
        }
        return value > 0 && value <= RecordFormat.sequenceMax ? value : nil
    }

    static func torn(_ name: String) -> String { name + tornSuffix }
    static func isTorn(_ name: String) -> Bool { name.hasSuffix(tornSuffix) && firstSequence(of: String(name.dropLast(tornSuffix.count))) != nil }
    static func failed(_ name: String) -> String { name + failedSuffix }
    static func unfinished(_ name: String) -> String { name + unfinishedSuffix }

    /// True for what `unfinished` makes of a segment's name or a derived file's, and for nobody else's file.
    static func isUnfinished(_ name: String) -> Bool {
        guard name.hasSuffix(unfinishedSuffix) else { return false }
        let finished = String(name.dropLast(unfinishedSuffix.count))
        return firstSequence(of: finished) != nil || firstSequence(ofIndex: finished) != nil || finished == superseded
    }

    private static let indexSuffix = ".index"
    private static let unfinishedSuffix = ".new"
    private static let tornSuffix = ".torn"
    private static let failedSuffix = ".failed"
}
