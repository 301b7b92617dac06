// Every request of a log once, where its newest record stands, with what its present status comes of.
//
//     window                     put: its requests go into the table, each with its newest record in the window
//     everything outside of it   before: counted, and where a request is announced, kept in mind. Behind: a newer
//                                record, so the one here is not the newest
//     window again               shown: the records that are the newest of their request, and with each what else matters
//
// Promises: bounded memory however long the log is: one table for a window of 524,288 records, at most 24 MiB (and half as
// much again while it grows), and 36 MiB more where all of its requests were announced. For it the log is read once for
// each window, and once more. Requests are told apart by 96 bits of two keyed hashes whose keys nobody knows: in a
// thousand million requests there are two alike with a chance below one in 10^10.
// Must not know: what a payload means, what a status is.

import Platform

/// A request as of its newest record.
public struct InspectedRequest {
    /// Unescaped.
    public fileprivate(set) var requestID: [UInt8] = []
    /// Of its newest record.
    public fileprivate(set) var sequence: UInt64 = 0
    /// When its newest record was appended.
    public fileprivate(set) var updatedAt = Timestamp(milliseconds: 0)
    /// Callbacks among its records.
    public fileprivate(set) var callbackCount = 0
    /// Of its newest callback; nil where none has come.
    public fileprivate(set) var callbackReceivedAt: Timestamp?
    /// Of its first announcement.
    public fileprivate(set) var announcedAt: Timestamp?
    /// Of its newest overdue record.
    public fileprivate(set) var foundOverdueAt: Timestamp?
}

/// The requests of a log as its records leave them.
public struct RequestInspection {
    /// Records in a window.
    static let windowRecordsMax: UInt64 = 1 << 19

    private let log: LogInspection
    private let since: Timestamp?
    private let until: Timestamp?
    private let windowRecords: UInt64
    private let passed: @Sendable (Int) -> Void
    private let table: RequestTable
    private var lines: PlacedLines
    /// Nothing above it counts: what stands there was torn by a crash.
    private var limit = UInt64.max

    /// - Parameters:
    ///   - since, until: requests whose newest record is from `since` on and before `until` are shown.
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
        lines = PlacedLines(log)
    }

    /// What is read of the log in all, if no window can be left out.
    public static func plannedBytes(of log: LogInspection) -> Int64 {
        guard let first = log.segments.first, let newest = log.segments.last else { return 0 }
        // How many records the newest segment has is not known yet.
        return log.bytes * Int64(clamping: (newest.first - first.first) / windowRecordsMax + 2)
    }

    /// Shows them to `visit`, oldest first, each with the payload of its newest callback and the members of its newest
    /// announcement; empty where there is none.
    /// - Throws: what `visit` throws.
    public mutating func forEach<Failure: Error>(
        visit: (borrowing InspectedRequest, _ payload: Span<UInt8>, _ members: Span<UInt8>) throws(Failure) -> Void
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
            guard counts(record) else { return }
            if record.sequence - start < windowRecords { table.put(record, bytes, from: start) } else { table.supersede(record, bytes) }
        }
    }

    /// False where nothing in the window is wanted.
    private func put(from start: UInt64) throws(SystemError) -> Bool {
        table.begin()
        var isWanted = false
        _ = try scan(part(from: start)) { record, bytes in
            guard holds(record, from: start) else { return }
            table.put(record, bytes, from: start)
            isWanted = isWanted || wants(record)
        }
        return isWanted
    }

    private func compare(from start: UInt64) throws(SystemError) {
        _ = try scan(log) { record, bytes in
            guard counts(record) else { return }
            if record.sequence < start {
                table.putBefore(record, bytes)
            } else if record.sequence - start >= windowRecords {
                table.supersede(record, bytes)
            }
        }
    }

    private mutating func show<Failure: Error>(
        from start: UInt64, _ visit: (borrowing InspectedRequest, Span<UInt8>, Span<UInt8>) throws(Failure) -> Void
    ) throws(ScanFailure<Failure>) {
        var scan = LogScan(part(from: start), passed: passed)
        var lines = lines
        defer { self.lines = lines }
        var request = InspectedRequest()
        while try scan.scanSegment(visit: { (record, bytes) throws(Failure) in
            guard holds(record, from: start) else { return }
            guard let found = table.find(record, bytes, from: start), wants(record) else { return }
            request.sequence = record.sequence
            request.updatedAt = record.receivedAt
            request.callbackCount = found.callbacks
            request.requestID.removeAll(keepingCapacity: true)
            record.appendRequestID(of: bytes, to: &request.requestID)
            let past = found.past
            request.announcedAt = past?.announcedAt
            request.foundOverdueAt = past?.foundOverdueAt
            request.callbackReceivedAt = record.kind == .callback ? record.receivedAt : nil
            guard let past else { return try visit(request, bytes.extracting(record.payload), bytes.extracting(0..<0)) }
            // Removed by retention since: then the request goes with it.
            let announcement = past.latest.map { lines.members(at: $0, .first) } ?? 0..<0
            guard let announcement else { return }
            if record.kind == .callback {
                return try visit(request, bytes.extracting(record.payload), lines.first.span.extracting(announcement))
            }
            let callback = past.callback.map { lines.members(at: $0, .second) } ?? 0..<0
            guard let callback else { return }
            request.callbackReceivedAt = past.callback == nil ? nil : lines.receivedAt
            try visit(request, lines.second.span.extracting(callback), lines.first.span.extracting(announcement))
        }) != nil {}
    }

    /// A record that a request's status may come of.
    private func counts(_ record: InspectedRecord) -> Bool {
        (record.kind == .callback || record.kind == .announcement || record.kind == .overdue) && record.sequence <= limit
    }

    private func holds(_ record: InspectedRecord, from start: UInt64) -> Bool {
        counts(record) && record.sequence >= start && record.sequence - start < windowRecords
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
