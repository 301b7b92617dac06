// What a log owes on whatever a crash or a fault left: the check that every such test ends with.
//
// Promises: opens the log on the disk, holds it to the model, appends one record and one retry, stops it cleanly,
// and opens it once more on what is stable then. Where there is upkeep, it is waited for first. Where requests were
// announced, the second time without what is derived (invariant 6), and until all that is awaited is overdue.
// Must not know: how the disk came to look so.

import Testing

@testable import CallbackLog

/// Records what is wrong with the log that is opened on `disk`.
func expectKept(_ promised: AcknowledgedRecords, on disk: MemoryDisk, as shape: LogShape = .bare, _ what: @autoclosure () -> String) {
    let broken = brokenPromises(promised, on: disk, as: shape)
    if !broken.isEmpty { Issue.record("\(what()): \(broken.joined(separator: "; "))") }
}

private func brokenPromises(_ promised: AcknowledgedRecords, on disk: MemoryDisk, as shape: LogShape) -> [String] {
    do {
        var model = promised
        let clock = TurnedClock()
        if !model.announced.isEmpty { clock.stepWall(milliseconds: max(0, model.latest - clock.now)) }
        let open = try OpenLog(disk, segmentBytesMax: 1_500, clock: clock, change: shape.apply)
        var broken = faults(of: open, &model, shape)
        if open.log.report.damageCount > 0 { broken.append("a crash is no damage: \(open.log.report)") }
        if open.log.durable < model.highest { broken.append("\(model.highest) was told and \(open.log.durable) is durable") }
        let retry = model.sequences.max { $0.value < $1.value }?.key
        let next = open.log.durable + 1
        let fresh = AcknowledgedRecords.Callback(identifier: "a", payload: "{\"fresh\":\(next)}")
        let callbacks = [fresh] + [retry].compactMap { $0 }
        for callback in callbacks { model.lose(callback) }
        let outcomes = open.appendTogether(callbacks.map { ($0.identifier, $0.payload) })
        broken += zip(callbacks, outcomes).compactMap { model.take($1, of: $0) }
        if outcomes.first != .fresh(next) { broken.append("\(next) was due and the answer \(String(describing: outcomes.first))") }
        open.close()
        let left = open.disk.afterPowerLoss()
        if !model.announced.isEmpty { left.deleteDerived() }
        let again = try OpenLog(left, segmentBytesMax: 1_500, clock: clock, change: shape.apply)
        broken += faults(of: again, &model, shape).map { "after a clean stop: \($0)" }
        let report = again.log.report
        if report.damageCount > 0 || report.tear != nil || report.copied > 0 { broken.append("after a clean stop: \(report)") }
        if let last = lastDue(again) {
            clock.stepWall(milliseconds: max(0, last - clock.now))
            clock.advance(milliseconds: Int64(ExpectationKeeper.lookMilliseconds))
            broken += faults(of: again, &model, shape).map { "once all are overdue: \($0)" }
        }
        return broken
    } catch {
        return ["does not open: \(error)"]
    }
}

/// When the last of what is awaited will be overdue; nil where nothing is.
private func lastDue(_ open: OpenLog) -> Int64? {
    let entries = open.log.shared.published.withLock { $0.expectations.entries }
    return entries.map(\.due).filter { $0 != Expectations.overdue }.max()
}

extension MemoryDisk {
    /// Somebody deletes what can be made again.
    fileprivate func deleteDerived() {
        for name in allFiles.keys where [ExpectationFile.name, SegmentName.superseded].contains(name) || name.hasSuffix(".index") { delete(name) }
    }
}

/// What is wrong with what the log shows, once upkeep is done.
private func faults(of open: OpenLog, _ model: inout AcknowledgedRecords, _ shape: LogShape) -> [String] {
    var faults: [String] = []
    if shape != .bare || !model.announced.isEmpty { open.settleAll() }
    if !open.log.shared.published.withLock({ $0.expectations.isWhole }) {
        // A segment without an index could not be asked yet.
        open.clock.advance(milliseconds: Int64(ExpectationKeeper.retryMilliseconds))
        open.settleAll()
    }
    let firsts = open.disk.files.keys.compactMap { SegmentName.firstSequence(of: $0) }.sorted()
    if shape == .retaining { model.retire(below: firsts.first ?? 1) }
    faults += model.faults(in: open, identifiers: RecordedLog.identifiers)
    if shape != .bare {
        let named = open.log.damages
        if named.count > 0 { faults.append("a crash is no damage: \(named)") }
        let files = open.disk.allFiles
        for first in firsts.dropLast() where files[SegmentName.index(first: first)] == nil { faults.append("\(first) has no index") }
    }
    return faults
}
