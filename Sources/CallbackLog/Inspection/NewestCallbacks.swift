// The newest callback of each request, in the order of the log, and how many callbacks the request has.
//
//     window                     put: its requests go into the table, each with its newest callback in the window
//     everything outside of it   before: counted. Behind: a newer callback, so the one here is not the newest
//     window again               shown: the callbacks that are the newest of their request
//
// Promises: bounded memory however long the log is: one table for a window of 524,288 records, at most 24 MiB (and
// half as much again while it grows). For it the log is read once for each window, and once more. Requests are told
// apart by 96 bits of two keyed hashes whose keys nobody knows: in a thousand million requests there are two alike
// with a chance below one in 10^10.
// Must not know: what a payload means.

import Platform

public struct NewestCallbacks {
    /// Records in a window.
    static let windowRecordsMax: UInt64 = 1 << 19

    private let log: LogInspection
    private let since: Timestamp?
    private let until: Timestamp?
    private let windowRecords: UInt64
    private let passed: @Sendable (Int) -> Void
    private let table: RequestTable
    /// Nothing above it counts: what stands there was torn by a crash.
    private var limit = UInt64.max

    /// - Parameters:
    ///   - since, until: callbacks from `since` on and before `until` are shown, where they are the newest of their request.
    ///   - passed: told of every piece that is read, in bytes; `plannedBytes` in all, or less.
    public init(_ log: LogInspection, since: Timestamp?, until: Timestamp?, passed: @escaping @Sendable (Int) -> Void = { _ in }) {
        self.init(log, since: since, until: until, windowRecords: Self.windowRecordsMax, table: RequestTable(), passed: passed)
    }

    init(
        _ log: LogInspection, since: Timestamp?, until: Timestamp?, windowRecords: UInt64, table: RequestTable,
        passed: @escaping @Sendable (Int) -> Void
    ) {
        self.log = log
        self.since = since
        self.until = until
        self.windowRecords = windowRecords
        self.table = table
        self.passed = passed
    }

    /// What is read of the log in all, if no window can be left out.
    public static func plannedBytes(of log: LogInspection) -> Int64 {
        guard let first = log.segments.first, let newest = log.segments.last else { return 0 }
        // How many records the newest segment has is not known yet.
        return log.bytes * Int64(clamping: (newest.first - first.first) / windowRecordsMax + 2)
    }

    /// Shows them to `visit`, oldest first, each with the number of its request's callbacks.
    /// - Throws: what `visit` throws.
    public mutating func forEach<Failure: Error>(
        visit: (InspectedRecord, Span<UInt8>, Int) throws(Failure) -> Void
    ) throws(ScanFailure<Failure>) -> ScanReport {
        var start = log.segments.first?.first ?? 1
        var report: ScanReport
        do throws(SystemError) {
            report = try scanAll(from: start)
            if let tear = report.tear, report.last ?? 0 >= tear.sequence {
                limit = tear.sequence - 1
                report = try scanAll(from: start)
            }
        } catch {
            throw .system(error)
        }
        try show(from: start, visit)
        start += windowRecords
        while start <= min(report.last ?? 0, limit) {
            do throws(SystemError) {
                guard try put(from: start) else {
                    start += windowRecords
                    continue
                }
                try compare(from: start)
            } catch {
                throw .system(error)
            }
            try show(from: start, visit)
            start += windowRecords
        }
        return report
    }

    /// The first window in one go: nothing stands before it, and all the rest behind.
    private func scanAll(from start: UInt64) throws(SystemError) -> ScanReport {
        table.begin()
        return try scan(log) { record, bytes in
            guard record.kind == .callback, record.sequence <= limit else { return }
            if record.sequence - start < windowRecords {
                table.put(record, bytes, at: record.sequence - start)
            } else {
                table.supersede(record, bytes)
            }
        }
    }

    /// False where nothing in the window is wanted.
    private func put(from start: UInt64) throws(SystemError) -> Bool {
        table.begin()
        var isWanted = false
        _ = try scan(part(from: start)) { record, bytes in
            guard holds(record, from: start) else { return }
            table.put(record, bytes, at: record.sequence - start)
            isWanted = isWanted || wants(record)
        }
        return isWanted
    }

    private func compare(from start: UInt64) throws(SystemError) {
        _ = try scan(log) { record, bytes in
            guard record.kind == .callback, record.sequence <= limit else { return }
            if record.sequence < start {
                table.count(record, bytes)
            } else if record.sequence - start >= windowRecords {
                table.supersede(record, bytes)
            }
        }
    }

    private func show<Failure: Error>(
        from start: UInt64, _ visit: (InspectedRecord, Span<UInt8>, Int) throws(Failure) -> Void
    ) throws(ScanFailure<Failure>) {
        var scan = LogScan(part(from: start), passed: passed)
        while try scan.scanSegment(visit: { (record, bytes) throws(Failure) in
            guard holds(record, from: start), wants(record) else { return }
            if let count = table.countIfNewest(record, bytes, at: record.sequence - start) { try visit(record, bytes, count) }
        }) != nil {}
    }

    private func holds(_ record: InspectedRecord, from start: UInt64) -> Bool {
        record.kind == .callback && record.sequence <= limit && record.sequence >= start && record.sequence - start < windowRecords
    }

    private func wants(_ record: InspectedRecord) -> Bool {
        if let since, record.receivedAt < since { return false }
        if let until, record.receivedAt >= until { return false }
        return true
    }

    /// The segments that hold records of the window.
    private func part(from start: UInt64) -> LogInspection {
        let first = log.segments.firstIndex { $0.successor ?? .max > start } ?? log.segments.endIndex
        let last = log.segments[first...].firstIndex { $0.first >= start + windowRecords } ?? log.segments.endIndex
        return log.limited(to: first..<last)
    }

    private func scan(_ log: LogInspection, _ see: (InspectedRecord, Span<UInt8>) -> Void) throws(SystemError) -> ScanReport {
        var scan = LogScan(log, passed: passed)
        do throws(ScanFailure<Never>) {
            while try scan.scanSegment(visit: see) != nil {}
        } catch {
            switch error {
            case .system(let error): throw error
            }
        }
        return scan.report
    }
}

/// The requests of one window: open addressing, linear probing, at most half full.
final class RequestTable {
    private struct Slot {
        var hash: UInt64 = 0
        var check: UInt32 = 0
        /// Where in the window its newest callback stands; `superseded` where a newer one stands behind the window.
        var newest: UInt32 = 0
        /// Its callbacks; 0: the slot is free.
        var count: UInt32 = 0
    }

    private static let superseded = UInt32.max
    private static let slotsMin = 1_024
    private let first: KeyedHash
    private let second: KeyedHash
    private var slots: [Slot] = []
    private var used = 0
    private var identifier: [UInt8] = []

    /// The two halves of what tells requests apart.
    init(_ first: KeyedHash = KeyedHash(), _ second: KeyedHash = KeyedHash()) {
        self.first = first
        self.second = second
    }

    func begin() {
        slots = [Slot](repeating: Slot(), count: Self.slotsMin)
        used = 0
    }

    /// The newest callback so far of its request, at `place` in the window.
    func put(_ record: InspectedRecord, _ bytes: Span<UInt8>, at place: UInt64) {
        if used * 2 >= slots.count { grow() }
        let (hash, check) = hash(record, bytes)
        let slot = find(hash, check)
        if slots[slot].count == 0 { used += 1 }
        slots[slot] = Slot(hash: hash, check: check, newest: UInt32(truncatingIfNeeded: place), count: Self.more(slots[slot].count))
    }

    /// A callback before the window.
    func count(_ record: InspectedRecord, _ bytes: Span<UInt8>) {
        let (hash, check) = hash(record, bytes)
        let slot = find(hash, check)
        if slots[slot].count > 0 { slots[slot].count = Self.more(slots[slot].count) }
    }

    /// A callback behind the window.
    func supersede(_ record: InspectedRecord, _ bytes: Span<UInt8>) {
        let (hash, check) = hash(record, bytes)
        let slot = find(hash, check)
        if slots[slot].count > 0 { slots[slot].newest = Self.superseded }
    }

    /// How many callbacks its request has; nil where it is not the newest of them.
    func countIfNewest(_ record: InspectedRecord, _ bytes: Span<UInt8>, at place: UInt64) -> Int? {
        let (hash, check) = hash(record, bytes)
        let slot = slots[find(hash, check)]
        return slot.count > 0 && UInt64(slot.newest) == place ? Int(slot.count) : nil
    }

    private static func more(_ count: UInt32) -> UInt32 { count == .max ? .max : count + 1 }

    private func hash(_ record: InspectedRecord, _ bytes: Span<UInt8>) -> (UInt64, UInt32) {
        // Taken out of the object, so that spans of it are of a local value.
        var identifier: [UInt8] = []
        swap(&identifier, &self.identifier)
        identifier.removeAll(keepingCapacity: true)
        record.appendRequestID(of: bytes, to: &identifier)
        let hash = first.hash(identifier.span)
        let check = UInt32(truncatingIfNeeded: second.hash(identifier.span))
        swap(&identifier, &self.identifier)
        return (hash, check)
    }

    /// Its slot, or the free one where it would go.
    private func find(_ hash: UInt64, _ check: UInt32) -> Int {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while slots[index].count > 0, slots[index].hash != hash || slots[index].check != check { index = (index + 1) & mask }
        return index
    }

    private func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: old.count * 2)
        for slot in old where slot.count > 0 { slots[find(slot.hash, slot.check)] = slot }
    }
}
