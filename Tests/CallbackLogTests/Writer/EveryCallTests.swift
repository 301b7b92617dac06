// A fault at every call of a life of the log, opening included, once and until it is lifted.
//
// Promises: after each step that a fault hit: what was acknowledged outlives a kill and a power loss, nothing is
// invented, nothing counts as damaged; a file whose write or fdatasync failed is left alone (invariant 3); what the
// log says of itself is true; no wait lasts for ever; and once the fault is gone, intake comes back by itself.
// Must not know: which call does what.

import Glibc
import Platform
import TestSupport
import Testing

@testable import CallbackLog

/// What goes wrong, where, and how often.
struct Scenario: Sendable, CustomTestStringConvertible {
    let name: String
    let effect: Fault.Effect
    let operations: Set<CallbackLogTests.Operation>
    let times: Int
    var testDescription: String { "\(name), \(times == .max ? "from then on" : "\(times) times")" }

    private static func each(_ times: [Int], _ name: String, _ effect: Fault.Effect, on operations: Set<CallbackLogTests.Operation>) -> [Scenario] {
        times.map { Scenario(name: name, effect: effect, operations: operations, times: $0) }
    }

    static let every = Set(Operation.allCases)
    static let all: [Scenario] = [
        each([1, 3, .max], "EIO at any call", .fails(EIO), on: every),
        each([1, 2, 3, .max], "EIO at a change", .fails(EIO), on: Operation.changing),
        each([1, 2, .max], "EIO, and yet done", .failsThoughDone(EIO), on: Operation.changing),
        each([1, 2, .max], "ENOSPC", .fails(ENOSPC), on: [.write, .create, .rename, .synchronizeData]),
        each([1, .max], "EDQUOT", .fails(EDQUOT), on: [.write, .create, .synchronizeData]),
        each([1, 2], "EINTR", .fails(EINTR), on: Operation.changing.union([.names, .open])),
        each([1, .max], "no descriptor left", .fails(EMFILE), on: [.create, .open, .names]),
        each([.max], "mounted read-only", .fails(EROFS), on: [.create, .rename, .remove, .write, .truncate]),
        each([1, .max], "nothing written", .writesOnly(0), on: [.write]),
        each([1, 500], "a byte written", .writesOnly(1), on: [.write]),
        // Moved after the last look at it, it is whole all the same.
        each([1], "the directory is moved", .movesDirectory, on: every.subtracting([.isLinked])),
        each([1], "the directory is deleted", .deletesDirectory, on: every),
    ].flatMap { $0 }
}

@Suite struct EveryCallTests {
    /// A log of several segments that was killed in the middle of a batch: opening it has something to do.
    private func killed(_ shape: LogShape) throws -> Moment {
        let log = try RecordedLog("killed", segmentBytesMax: 1_000, as: shape)
        log.append([60, 300])
        log.hand([.announcement("open", seconds: 100), .announcement("late", seconds: 2)])
        log.append([700])
        log.wait(milliseconds: 1_100)
        log.append([60])
        let before = log.moments.count
        log.append([400, 60])
        let inFlight = try #require(log.moments[before...].first { $0.what.contains("after write") })
        return inFlight
    }

    @Test("whichever call it is", arguments: Scenario.all, [LogShape.bare, .whole])
    func anyCall(scenario: Scenario, shape: LogShape) throws {
        var start = try killed(shape)
        // What cannot be read back is stored again rather than lost.
        start.model.mayRepeat = !scenario.operations.isDisjoint(with: [.open, .read])
        // With upkeep there are three times as many calls: every fourth has its turn.
        for call in stride(from: 0, to: 800, by: shape == .bare ? 1 : 4) {
            let disk = MemoryDisk(start.contents, hasFixedIdentity: false)
            disk.inject(Fault(scenario.effect, on: scenario.operations, after: call, times: scenario.times))
            try live(on: disk, from: start, as: shape, "\(scenario.testDescription), call \(call)", seed: UInt64(call))
            if disk.hitCount == 0 { return }
        }
        Issue.record("the workload has more calls than were tried")
    }

    private func live(on disk: MemoryDisk, from start: Moment, as shape: LogShape, _ what: String, seed: UInt64) throws {
        let log: RecordedLog
        do {
            log = try RecordedLog(what, on: disk, model: start.model, segmentBytesMax: 1_000, as: shape, isEachCall: false)
        } catch {
            // It does not start, and has spoiled nothing.
            expectLeftWhole(disk, start.model, shape, "\(what), opening", seed: seed)
            return
        }
        var hits = disk.hitCount
        var wasGone = disk.state.withLock { $0.isGone }
        if hits > 0 { expectLeftWhole(disk, log.model, shape, "\(what), opened", seed: seed) }
        func expectKept(_ step: String, _ outcomes: [AppendOutcome?] = []) {
            if outcomes.contains(nil) { Issue.record("\(what), \(step): an answer is missing") }
            // Asked first: the question after it is a call, too. Upkeep's calls may come after the answer.
            let isGoneNow = disk.state.withLock { $0.isGone }
            let isGone = shape == .bare ? isGoneNow : wasGone
            wasGone = isGoneNow
            let isBlocked = log.open.log.readiness(options: LogOptions()).block != nil
            if outcomes.contains(where: { $0?.isBlocked == true }), !isBlocked { Issue.record("\(what), \(step): refused, and yet ready") }
            if isGone, outcomes.contains(where: { $0?.isBlocked != true }) {
                Issue.record("\(what), \(step): \(outcomes) of a directory that is gone")
            }
            if disk.hitCount > hits { expectLeftWhole(disk, log.model, shape, "\(what), \(step)", seed: seed) }
            hits = disk.hitCount
        }
        expectKept("a batch", log.append([60, 200]))
        expectKept("a batch with retries", log.append([300, 60], retries: 2))
        log.wait(milliseconds: 1_100)
        expectKept("a quiet second")
        // What is due is recorded beside the answers.
        expectKept(
            "announcements", log.hand([.announcement("open", seconds: 100), .announcement("longer", seconds: 2), .callback("joined"), .announcement("joined", seconds: 2)]))
        expectKept("a roll", log.append([900]))
        expectKept("a retry", log.append([], retries: 1))
        log.wait(milliseconds: 2_100)
        expectKept("probes")
        expectKept("one that was due", log.hand([.callback("late"), .announcement("longer", seconds: 50)]))
        log.append([60])
        expectLeftAlone(disk, what)

        guard !disk.isDeleted else { return log.close() }
        disk.setGone(false)
        log.lift()
        let outcomes = log.append([60, 1_200], retries: 1)
        if outcomes.contains(where: { $0?.isBlocked != false }) { Issue.record("\(what): intake does not come back: \(outcomes)") }
        expectLeftWhole(disk, log.model, shape, "\(what), lifted", seed: seed)
        if shape != .bare {
            // Index files are tried again after a minute.
            log.wait(milliseconds: 61_000)
            let firsts = disk.files.keys.compactMap { SegmentName.firstSequence(of: $0) }.sorted()
            let files = disk.allFiles
            for first in firsts.dropLast() where files[SegmentName.index(first: first)] == nil { Issue.record("\(what): \(first) has no index") }
            // What the log believes is what its records say.
            let faults = log.model.faults(in: log.open, identifiers: RecordedLog.identifiers)
            if !faults.isEmpty { Issue.record("\(what), lifted: \(faults.joined(separator: "; "))") }
        }
        log.close()
        expectLeftAlone(disk, what)
        CallbackLogTests.expectKept(log.model, on: disk.afterPowerLoss(), as: shape, "\(what), closed")
    }

    /// A kill and a power loss leave what was promised.
    private func expectLeftWhole(_ disk: MemoryDisk, _ model: AcknowledgedRecords, _ shape: LogShape, _ what: String, seed: UInt64) {
        guard !disk.isDeleted else { return }
        var generator = SeededGenerator(seed: seed)
        expectKept(model, on: disk.afterKill(), as: shape, "\(what), killed")
        expectKept(model, on: disk.afterPowerLoss(), as: shape, "\(what), nothing kept")
        expectKept(model, on: disk.afterPowerLoss { Int.random(in: 0...$0, using: &generator) }, as: shape, "\(what), something kept")
    }

    /// Invariant 3: a file whose write or fdatasync failed is not written and not synced again.
    private func expectLeftAlone(_ disk: MemoryDisk, _ what: String) {
        var failed: Set<Int> = []
        for call in disk.calls {
            guard let inode = call.inode, call.operation == .write || call.operation == .synchronizeData else { continue }
            // Of line feeds that could not be written nothing is claimed.
            if call.isPadding, call.operation == .write { continue }
            if failed.contains(inode) { Issue.record("\(what): \(call) again after it failed") }
            if call.failed { failed.insert(inode) }
        }
    }
}
