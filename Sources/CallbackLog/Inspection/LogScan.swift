// A log read from its oldest record to its newest, one segment at a time.
//
// Promises: what is sound, damage or tear is decided by the one rule (SegmentScan); each damage comes with the
// records that are not there. Memory is one line and a bounded number of places.
// Must not know: what the visitor does with a record.

import Platform

/// A place in the log that a later line proves to have been sound once.
public struct LogDamage: Sendable, Equatable {
    /// Where.
    public let place: UnsoundPlace
    /// The records that are not there; nil where none is missing, as where something foreign stands between two lines.
    public let lost: ClosedRange<UInt64>?
}

/// What a whole scan has shown.
public struct ScanReport: Sendable {
    /// Segments that were read.
    public internal(set) var segments = 0
    /// Sound records.
    public internal(set) var records = 0
    /// Of the segments that were read.
    public internal(set) var bytes: Int64 = 0
    /// The first and last sound record; nil where there is none.
    public internal(set) var first: UInt64?
    /// The last; nil where there is none.
    public internal(set) var last: UInt64?
    /// The highest sequence that is known to have been given, lost or not.
    public internal(set) var end: UInt64 = 0
    /// Every damaged place, also those that were not listed.
    public internal(set) var damageCount = 0
    /// Records that are not there, in all damaged places.
    public internal(set) var lostCount: UInt64 = 0
    /// The first place that no line proves: what a crash tore, or what is just being written. Nothing from there on
    /// was acknowledged.
    public internal(set) var tear: UnsoundPlace?
    /// Segments that were removed before they were read.
    public internal(set) var removed: [String] = []

    /// Of nothing.
    public init() {}
}

/// A whole log read from front to end.
public struct LogScan {
    private let log: LogInspection
    private let passed: @Sendable (Int) -> Void
    private var next = 0
    private var state: ScanState
    private var gaps: Gaps
    /// Complete once `scanSegment` returned nil.
    public private(set) var report = ScanReport()

    /// - Parameter passed: told of every piece that is read, in bytes.
    public init(_ log: LogInspection, passed: @escaping @Sendable (Int) -> Void = { _ in }) {
        self.log = log
        self.passed = passed
        let first = log.segments.first?.first ?? 1
        state = ScanState(first: first)
        gaps = Gaps(expected: first)
    }

    /// Reads the next segment and shows `visit` every sound record of it. Returns the damages that were proven by
    /// it, at most 1,000 of them; nil where there is no further segment.
    /// - Throws: what `visit` throws; nothing can be read on after that.
    public mutating func scanSegment<Failure: Error>(
        visit: (InspectedRecord, Span<UInt8>) throws(Failure) -> Void
    ) throws(ScanFailure<Failure>) -> [LogDamage]? {
        guard next < log.segments.count else {
            report.tear = state.pending.first
            report.end = state.pending.first.map { $0.sequence - 1 } ?? state.last
            return nil
        }
        let segment = log.segments[next]
        next += 1
        var gaps = self.gaps
        var report = self.report
        var stopped: Failure?
        do throws(SystemError) {
            guard let view = try log.view(of: segment, passed: passed) else {
                passOver(segment)
                return []
            }
            let before = state.damageCount
            let scan = try SegmentScan(view, first: segment.first, successor: segment.successor, state: &state) { line, bytes, offset throws(SystemError) in
                let sequence = line.sequence ?? 0
                gaps.pass(to: sequence)
                gaps.expected = sequence + 1
                report.first = report.first ?? sequence
                report.last = sequence
                do throws(Failure) {
                    try visit(InspectedRecord(segment: segment.name, offset: offset, sequence: sequence, line: line), bytes)
                } catch {
                    stopped = error
                    throw SystemError(operation: "read", path: segment.name, code: 0)
                }
            }
            gaps.pass(to: state.last + 1)
            report.segments += 1
            report.records += scan.records
            report.bytes += segment.bytes
            report.damageCount += state.damageCount - before
            isUnsound = scan.failure != nil || state.damages.contains { $0.segment == segment.name } || state.pending.contains { $0.segment == segment.name }
        } catch {
            if let stopped { throw .visitor(stopped) }
            throw .system(error)
        }
        let damages = state.damages.map { LogDamage(place: $0, lost: gaps.beginning(at: $0.sequence)) }
        state.damages.removeAll()
        report.lostCount += gaps.settle(below: state.pending.first?.sequence ?? .max)
        self.gaps = gaps
        self.report = report
        return damages
    }

    /// True where the segment that was read last has a place that is not sound.
    public private(set) var isUnsound = false

    /// The same, where only damage is of interest.
    public mutating func scanSegment() throws(SystemError) -> [LogDamage]? {
        do throws(ScanFailure<Never>) {
            return try scanSegment { _, _ in }
        } catch {
            switch error {
            case .system(let error): throw error
            }
        }
    }

    /// A segment that is gone is no damage where everything before it is gone as well: retention takes the oldest.
    private mutating func passOver(_ segment: LogInspection.Segment) {
        report.removed.append(segment.name)
        let isOldest = log.segments.prefix { $0.first < segment.first }.allSatisfy { earlier in
            (try? LogInspection.open(earlier.name, in: log.directory)) == nil
        }
        state.last = segment.first - 1
        guard let successor = segment.successor else { return }
        if isOldest { gaps.expected = successor } else { state.mark(unsound: segment.name, at: 0) }
        gaps.pass(to: successor)
        state.last = successor - 1
    }
}

/// Sequences that are not there, as long as it is not known whether they ever were.
private struct Gaps {
    var expected: UInt64
    private var open: [ClosedRange<UInt64>] = []

    init(expected: UInt64) { self.expected = expected }

    /// What is expected before `sequence` is not there.
    mutating func pass(to sequence: UInt64) {
        guard sequence > expected else { return }
        if open.count < ScanState.pendingMax { open.append(expected...(sequence - 1)) }
        expected = sequence
    }

    func beginning(at sequence: UInt64) -> ClosedRange<UInt64>? { open.first { $0.lowerBound == sequence } }

    /// Forgets those that begin below `sequence`, since they are damage. Returns how many sequences they have.
    mutating func settle(below sequence: UInt64) -> UInt64 {
        let count = open.prefix { $0.lowerBound < sequence }.count
        defer { open.removeFirst(count) }
        return open[..<count].reduce(0) { $0 + ($1.upperBound - $1.lowerBound + 1) }
    }
}

/// Why a scan ended before its end.
public enum ScanFailure<Visitor: Error>: Error {
    case system(SystemError)
    case visitor(Visitor)
}
