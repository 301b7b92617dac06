// A workload on a recording disk: what was on the disk after each call, and what had been promised by then.
//
// Promises: a moment's model holds what had been acknowledged before the call, or earlier; what was handed over and
// not yet answered counts as unsure. So whatever a moment's disk loses of its model is a broken promise.
// Must not know: what becomes of the disk.

import Testing

@testable import CallbackLog

/// The disk at one moment, and what the outside world may rely on then.
struct Moment {
    let contents: DiskContents
    var model: AcknowledgedRecords
    let what: String
}

final class RecordedLog {
    /// Callbacks of these come, and of the others where a workload says so.
    static let calling = ["a", "b\"", "c\\", "d"]
    static let identifiers = calling + ["open", "late", "joined", "longer"]
    private(set) var moments: [Moment] = []
    private(set) var model: AcknowledgedRecords
    private(set) var open: OpenLog
    private let segmentBytesMax: Int64
    let shape: LogShape
    private let clock = TurnedClock()
    private var number = 0
    private let name: String

    /// Opens the log on `disk`, of which `model` is known. Without `isEachCall` there is a moment after each step only.
    init(
        _ name: String, on disk: MemoryDisk = MemoryDisk(hasFixedIdentity: false), model: AcknowledgedRecords = AcknowledgedRecords(), segmentBytesMax: Int64,
        as shape: LogShape = .bare, isEachCall: Bool = true
    ) throws {
        self.name = name
        self.model = model
        self.segmentBytesMax = segmentBytesMax
        self.shape = shape
        if isEachCall { disk.record() }
        if !model.announced.isEmpty { clock.stepWall(milliseconds: max(0, model.latest - clock.now)) }
        open = try OpenLog(disk, segmentBytesMax: segmentBytesMax, clock: clock, change: shape.apply)
        keep("open", disk)
    }

    /// Takes what the disk has recorded since the last time; then the moment now, of which more may be known.
    private func keep(_ step: String, _ disk: MemoryDisk, before: AcknowledgedRecords? = nil) {
        for (call, contents) in disk.takeRecorded() {
            moments.append(Moment(contents: contents, model: before ?? model, what: "\(name), \(step), after \(call)"))
        }
        if shape != .bare || !model.announced.isEmpty {
            // What upkeep does after the step.
            open.settleAll()
            for (call, contents) in disk.takeRecorded() {
                moments.append(Moment(contents: contents, model: model, what: "\(name), \(step), upkeep after \(call)"))
            }
        }
        if shape == .retaining { model.retire(below: disk.files.keys.compactMap { SegmentName.firstSequence(of: $0) }.min() ?? 1) }
        if !model.announced.isEmpty { model.see(durable: open.log.durable, at: clock.now) }
        moments.append(Moment(contents: disk.contents, model: model, what: "\(name), \(step), done"))
    }

    /// Appends new callbacks of these lengths in one batch, and `retries` of earlier ones with them.
    @discardableResult
    func append(_ payloadBytes: [Int], retries: Int = 0) -> [AppendOutcome?] {
        var callbacks = payloadBytes.map { count in
            newCallback(of: Self.calling[(number + 1) % Self.calling.count], payloadBytes: count)
        }
        callbacks += model.sequences.sorted { $0.value > $1.value }.prefix(retries).map(\.key)
        callbacks += callbacks.prefix(retries)
        for callback in callbacks { model.lose(callback) }
        let before = model
        let outcomes = open.appendTogether(callbacks.map { ($0.identifier, $0.payload) })
        for (callback, outcome) in zip(callbacks, outcomes) {
            if let fault = model.take(outcome, of: callback) { Issue.record("\(name): \(fault)") }
        }
        keep("append \(payloadBytes)", open.disk, before: before)
        return outcomes
    }

    private func newCallback(of identifier: String, payloadBytes: Int) -> AcknowledgedRecords.Callback {
        number += 1
        let head = "{\"n\":\(number),\"text\":\""
        return AcknowledgedRecords.Callback(
            identifier: identifier, payload: head + String(repeating: "x", count: max(0, payloadBytes - head.utf8.count - 2)) + "\"}")
    }

    /// What is handed over beside callbacks of no particular request.
    enum Hand {
        case announcement(String, seconds: Int)
        case callback(String)
    }

    /// Hands these over in one batch.
    @discardableResult
    func hand(_ hands: [Hand]) -> [AppendOutcome?] {
        let now = max(clock.now, model.latest)
        var takes: [(OpenLog) -> UInt64?] = []
        var checks: [(inout AcknowledgedRecords, AppendOutcome?) -> String?] = []
        for hand in hands {
            switch hand {
            case .callback(let identifier):
                let callback = newCallback(of: identifier, payloadBytes: 60)
                model.lose(callback)
                takes.append { $0.submit(identifier, callback.payload) }
                checks.append { $0.take($1, of: callback) }
            case .announcement(let identifier, let seconds):
                let announcement = AnnouncedRequests.Announcement(identifier: identifier, members: members(seconds, reference: "\"r\""))
                let isAlone = model.lose(announcement)
                takes.append { $0.submitAnnouncement(identifier, announcement.members) }
                checks.append { $0.take($1, of: announcement, at: now, isAlone: isAlone) }
            }
        }
        let before = model
        let open = self.open
        let outcomes = open.together { takes.map { $0(open) } }
        for (check, outcome) in zip(checks, outcomes) {
            if let fault = check(&model, outcome) { Issue.record("\(name): \(fault)") }
        }
        keep("\(hands)", open.disk, before: before)
        return outcomes
    }

    /// Nothing comes for so long.
    func wait(milliseconds: Int64) {
        clock.advance(milliseconds: milliseconds)
        keep("wait", open.disk)
    }

    /// So much time goes by that every record is too old to stay, and upkeep notices.
    func age() {
        clock.stepWall(milliseconds: 2 * LogShape.retentionMilliseconds)
        wait(milliseconds: 61_000)
    }

    func fail(_ fault: Fault) { open.disk.inject(fault) }

    func lift() {
        open.disk.lift()
        clock.advance(milliseconds: 1_100)
        keep("lift", open.disk)
    }

    func close() {
        open.close()
        keep("close", open.disk)
    }

    /// The process is killed, and another one begins on what it left, cached or stable.
    func restart() throws {
        let disk = open.disk.afterKill()
        disk.record()
        open = try OpenLog(disk, segmentBytesMax: segmentBytesMax, clock: clock, change: shape.apply)
        keep("restart", disk)
    }
}
