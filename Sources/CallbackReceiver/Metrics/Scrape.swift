// GET /metrics (API.md §5): what this server and its log are, in numbers, for Prometheus.
//
// Promises: gathered when it is asked for, off the loops, and nobody waits for it: loops and writer only count. Counters begin
// at 0 with the process, and every series is there from the start; what says how things are now comes from the log and outlasts
// a restart. Names by Prometheus' rules (base units; `_total`, `_seconds`, `_bytes`, `_timestamp_seconds`, `_info`), held to by
// promtool. No payload, id, path or secret (invariant 9).
// Must not know: how anything is counted.

import CallbackLog
import CrispCallback
import HTTPWire
import Platform
import Synchronization

struct Scrape: Sendable {
    let log: CallbackLog
    private(set) var logOptions: LogOptions
    let quarantine: Quarantine
    let handles: [LoopHandle]
    let following: Following
    /// In force.
    private(set) var connectionsMax: Int
    private let newestBefore = NewestCallback()

    private static let nanoseconds = 1e9

    init(log: CallbackLog, logOptions: LogOptions, quarantine: Quarantine, handles: [LoopHandle], following: Following, connectionsMax: Int) {
        self.log = log
        self.logOptions = logOptions
        self.quarantine = quarantine
        self.handles = handles
        self.following = following
        self.connectionsMax = connectionsMax
    }

    /// The same, where a reload has changed these.
    func takingUp(_ logOptions: LogOptions, connectionsMax: Int) -> Scrape {
        var scrape = self
        scrape.logOptions = logOptions
        scrape.connectionsMax = connectionsMax
        return scrape
    }

    /// Answers a scrape.
    func query(path: [UInt8], isDraining: Bool) -> Query {
        Query(path: path, lane: .server) { scratch in
            var response = Response()
            response.contentType = Exposition.contentType
            response.fields.append(Response.Field(name: "Cache-Control", value: "no-store"))
            response.body = text(isDraining: isDraining, using: &scratch.reader)
            return response
        }
    }

    private func text(isDraining: Bool, using reader: inout RecordReader) -> [UInt8] {
        var page = Exposition()
        page.begin("callback_receiver_build_info", .gauge, "Always 1; the build stands in the labels.")
        page.sample(UInt64(1), ("version", BuildInformation.version), ("swift", BuildInformation.swiftVersion))
        appendReadiness(isDraining, to: &page)
        let figures = log.figures()
        appendCallbacks(figures, using: &reader, to: &page)
        appendAnnouncements(figures, to: &page)
        appendQuarantine(to: &page)
        appendLog(figures, to: &page)
        appendRequests(to: &page)
        appendConnections(to: &page)
        Self.appendProcess(to: &page)
        return page.bytes
    }

    private func appendReadiness(_ isDraining: Bool, to page: inout Exposition) {
        let failing = Health.failure(log, options: logOptions, isDraining: isDraining)?.check
        page.begin("callback_receiver_ready", .gauge, "1 where /readyz would say so of this check, 0 where it fails; the first that fails is told.")
        for check in Health.Check.allCases { page.sample(UInt64(check == failing ? 0 : 1), ("check", check.rawValue)) }
    }

    // MARK: callbacks

    private func appendCallbacks(_ figures: LogFigures, using reader: inout RecordReader, to page: inout Exposition) {
        page.begin("callback_receiver_callbacks_total", .counter, "Callbacks stored, by outcome; duplicates are not among them.")
        for outcome in [RequestStatus.sent, .failed, .unrecognized] { page.sample(figures.statuses[Int(outcome.rawValue)], ("outcome", outcome.name)) }
        page.begin("callback_receiver_callback_failures_total", .counter, "Of the callbacks that say failed, by class; unknown: a text that no rule knows.")
        for failureClass in FailureClass.allCases { page.sample(figures.failureClasses[Int(failureClass.rawValue)], ("class", failureClass.name)) }
        page.family("callback_receiver_callback_duplicates_total", .counter, "Callbacks that had come before, answered 200 and not stored again.", figures.duplicates)
        page.begin("callback_receiver_callbacks_refused_total", .counter, "Callbacks that were not taken, by reason.")
        for reason in CallbackRefusal.allCases { page.sample(sum { $0.refusals(reason) }, ("reason", "\(reason.name)")) }
        page.family(
            "callback_receiver_last_callback_timestamp_seconds", .gauge, "When the newest callback in the log was received; 0 where there is none.",
            Double(newestCallback(figures, using: &reader)) / 1_000)
    }

    /// In milliseconds since 1970; 0 where there is none, or as long as an index is made that one could be in.
    private func newestCallback(_ figures: LogFigures, using reader: inout RecordReader) -> UInt64 {
        if figures.newestCallback > 0 { return figures.newestCallback }
        return newestBefore.milliseconds { () throws(RecordReadFailure) in try log.newestCallback(using: &reader) }
    }

    private func appendAnnouncements(_ figures: LogFigures, to page: inout Exposition) {
        page.family("callback_receiver_announcements_total", .counter, "Announcements recorded.", figures.announcements)
        page.family("callback_receiver_announcements_open", .gauge, "Requests announced that have no callback yet, overdue ones included.", UInt64(figures.openAnnouncements))
        page.family("callback_receiver_announcements_overdue", .gauge, "Requests announced whose callback has not come in the time allowed.", UInt64(figures.overdueAnnouncements))
        page.family("callback_receiver_announcements_expired_total", .counter, "How often a request became overdue.", figures.overdue)
    }

    private func appendQuarantine(to page: inout Exposition) {
        let sizes = quarantine.sizes
        page.begin("callback_receiver_quarantine_bytes", .gauge, "Disk that refused bodies take, of what was refused as such and of what proved no origin.")
        page.sample(UInt64(max(0, sizes.refused.bytes)), ("ring", "refused"))
        page.sample(UInt64(max(0, sizes.unauthorized.bytes)), ("ring", "unauthorized"))
        page.begin("callback_receiver_quarantine_entries", .gauge, "Refused bodies that are kept; identical ones are one.")
        page.sample(UInt64(sizes.refused.entries), ("ring", "refused"))
        page.sample(UInt64(sizes.unauthorized.entries), ("ring", "unauthorized"))
    }

    // MARK: the log

    private func appendLog(_ figures: LogFigures, to page: inout Exposition) {
        page.family("callback_receiver_log_durable_sequence", .gauge, "The durable position: every record up to it is on stable storage.", figures.durable)
        page.family("callback_receiver_log_segments", .gauge, "Segments, the open one included.", UInt64(figures.segments))
        page.family("callback_receiver_log_size_bytes", .gauge, "Bytes of records in all segments.", figures.segmentBytes)
        page.family("callback_receiver_log_index_bytes", .gauge, "Bytes of the index files beside them.", figures.indexBytes)
        page.family("callback_receiver_log_damaged_places", .gauge, "Damaged places that are known.", UInt64(figures.damages))
        page.family("callback_receiver_log_free_bytes", .gauge, "Free bytes on the log's file system.", figures.freeBytes.map { Double(max(0, $0)) } ?? .nan)
        page.family("callback_receiver_log_free_min_bytes", .gauge, "With less than this free, callbacks are refused (log.free-bytes-min).", UInt64(max(0, logOptions.freeBytesMin)))
        page.family("callback_receiver_log_written_bytes_total", .counter, "Bytes of lines written.", figures.writtenBytes)
        page.family("callback_receiver_log_write_failures_total", .counter, "Writes and fdatasyncs that failed.", figures.writeFailures)
        page.begin("callback_receiver_log_fdatasync_duration_seconds", .histogram, "How long an fdatasync of the log takes.")
        page.sample(figures.syncNanoseconds, scale: Self.nanoseconds)
        page.begin("callback_receiver_log_batch_records", .histogram, "Records that become durable with one fdatasync.")
        page.sample(figures.batchRecords, scale: 1)
    }

    // MARK: requests and connections

    private func appendRequests(to page: inout Exposition) {
        page.begin("callback_receiver_http_responses_total", .counter, "Answers by status, also those to what is no request; 500 counts any other, too.")
        for (place, status) in LoopMeters.statuses.enumerated() { page.sample(sum { $0.answers(place) }, ("status", "\(status)")) }
        page.begin(
            "callback_receiver_http_request_duration_seconds", .histogram,
            "From when a request was whole to its answer, of events and export to their beginning.")
        for route in MeteredRoute.allCases {
            for version in MeteredProtocol.decided {
                var reading = HistogramReading(LoopMeters.latencyBounds)
                for handle in handles { handle.meters.add(route, version, to: &reading) }
                page.sample(reading, scale: Self.nanoseconds, ("route", "\(route.name)"), ("protocol", "\(version.name)"))
            }
        }
        page.begin("callback_receiver_shed_total", .counter, "What was answered 503 since there was too much of it.")
        for what in Shed.allCases { page.sample(sum { $0.shed(what) }, ("what", "\(what.name)")) }
        page.family("callback_receiver_waits", .gauge, "Requests that wait for a callback (?wait=).", UInt64(following.waits.count))
        page.family("callback_receiver_event_streams", .gauge, "Event streams that are open.", UInt64(following.capacity(for: .events).count))
        page.family("callback_receiver_exports", .gauge, "Exports under way.", UInt64(following.capacity(for: .export).count))
    }

    private func appendConnections(to page: inout Exposition) {
        page.begin("callback_receiver_connections", .gauge, "Open connections by what they speak; undecided: nothing has come yet.")
        for version in MeteredProtocol.allCases {
            page.sample(sum { $0.connections(version) }, ("protocol", "\(version.name)"))
        }
        page.family("callback_receiver_connections_max", .gauge, "Connections that may be open at once.", UInt64(connectionsMax))
        page.family("callback_receiver_connections_opened_total", .counter, "Connections taken, those that were only told 503 included.", sum { $0.openedConnections })
    }

    private func sum(_ number: (LoopMeters) -> UInt64) -> UInt64 { handles.reduce(0) { $0 &+ number($1.meters) } }

    // MARK: the process

    private static func appendProcess(to page: inout Exposition) {
        guard let process = ProcessFigures.read() else { return }
        page.family("process_cpu_seconds_total", .counter, "User and system CPU time spent.", process.cpuSeconds)
        page.family("process_resident_memory_bytes", .gauge, "Resident memory size.", process.residentBytes)
        page.family("process_virtual_memory_bytes", .gauge, "Virtual memory size.", process.virtualBytes)
        page.family("process_open_fds", .gauge, "Open file descriptors.", UInt64(process.openDescriptors))
        page.family("process_max_fds", .gauge, "File descriptors that may be open.", process.descriptorsMax)
        page.family("process_start_time_seconds", .gauge, "Start time of the process since 1970.", process.startSeconds)
    }
}

/// When the newest callback was received that an earlier process stored: looked for once.
private final class NewestCallback: Sendable {
    private let found = Mutex<UInt64?>(nil)

    /// - Parameter look: nil where there is none. What throws is looked for again.
    func milliseconds(_ look: () throws(RecordReadFailure) -> Timestamp?) -> UInt64 {
        if let known = found.withLock({ $0 }) { return known }
        do throws(RecordReadFailure) {
            let milliseconds = UInt64(max(0, try look()?.milliseconds ?? 0))
            found.withLock { $0 = milliseconds }
            return milliseconds
        } catch {
            return 0
        }
    }
}
