// Invariant 3: a failed write or fdatasync is never retried in place; what was acknowledged is on the disk,
// whatever call failed, and intake comes back when the fault goes.
// Every call of the workload fails once in its turn. Must not know: recovery's own calls (CopyTests).

import Platform
import Testing

@testable import CallbackLog

/// What goes wrong, where, and how often.
struct Scenario: Sendable, CustomTestStringConvertible {
    let name: String
    let effect: Fault.Effect
    let operations: Set<CallbackLogTests.Operation>
    let times: Int
    var testDescription: String { "\(name), \(times == .max ? "from then on" : "\(times) times")" }

    static let all: [Scenario] = [1, 2, 3, .max].flatMap { times in
        [
            Scenario(name: "EIO at any call", effect: .fails(SystemError.inputOutput), operations: Set(Operation.allCases), times: times),
            Scenario(name: "EIO at a change", effect: .fails(SystemError.inputOutput), operations: Operation.changing, times: times),
            Scenario(name: "EIO, and yet done", effect: .failsThoughDone(SystemError.inputOutput), operations: Operation.changing, times: times),
            Scenario(name: "ENOSPC", effect: .fails(SystemError.noSpace), operations: [.write, .create], times: times),
            Scenario(name: "nothing written", effect: .writesOnly(0), operations: [.write], times: times),
            Scenario(name: "a byte written", effect: .writesOnly(1), operations: [.write], times: min(times, 500)),
        ]
    }
}

@Suite struct FaultTests {
    /// Every record that was acknowledged is there with its sequence; what else is there was submitted.
    private func check(_ acknowledged: [UInt64: String], on disk: MemoryDisk, _ what: String) throws {
        let open = try OpenLog(disk)
        let seen = Dictionary(uniqueKeysWithValues: try open.records("a").map { ($0.sequence, $0.payload) })
        for (sequence, payload) in acknowledged where seen[sequence] != payload {
            Issue.record("\(what): \(sequence) is \(seen[sequence] ?? "gone"), not \(payload)")
        }
        if open.log.report.damageCount != 0 { Issue.record("\(what): \(open.log.report)") }
        if Set(seen.values).count != seen.count { Issue.record("\(what): a payload twice, \(seen)") }
    }

    @Test("whichever call fails: what was acknowledged outlives a power loss, and intake comes back", arguments: Scenario.all)
    func anyCall(scenario: Scenario) throws {
        for call in 0..<200 {
            // 400 bytes: the third batch rolls.
            let open = try OpenLog(MemoryDisk(), segmentBytesMax: 400)
            open.disk.inject(Fault(scenario.effect, on: scenario.operations, after: call, times: scenario.times))
            var acknowledged: [UInt64: String] = [:]
            for number in 0..<5 {
                let payloads = ["{\"n\":\(number)}", "{\"m\":\(number)}"]
                for (payload, outcome) in zip(payloads, open.appendTogether(payloads.map { ("a", $0) })) {
                    if case .stored(let sequence, false) = try #require(outcome) { acknowledged[sequence] = payload }
                }
                try check(acknowledged, on: open.disk.afterPowerLoss(), "call \(call), batch \(number)")
                if number == 2 { open.clock.advance(milliseconds: 1_100) }
            }
            open.disk.lift()
            open.clock.advance(milliseconds: 1_100)
            for number in 0..<5 {
                guard case .stored(let sequence, _) = open.append("a", "{\"n\":\(number)}") else {
                    Issue.record("call \(call): intake does not come back: \(open.log.readiness(options: LogOptions()))")
                    break
                }
                acknowledged[sequence] = "{\"n\":\(number)}"
            }
            try check(acknowledged, on: open.disk.afterPowerLoss(), "call \(call), after it")
            expectNoSecondSynchronization(open.disk)
            open.log.close()
            try check(acknowledged, on: open.disk.afterPowerLoss(), "call \(call), closed")
            if open.disk.calls.count(where: { scenario.operations.contains($0.operation) }) < call { return }
        }
        Issue.record("the workload has more calls than were tried")
    }

    /// A file whose write or fdatasync failed is left: not written, not synced again.
    private func expectNoSecondSynchronization(_ disk: MemoryDisk) {
        var failed: Set<Int> = []
        for call in disk.calls {
            guard let inode = call.inode, call.operation == .write || call.operation == .synchronizeData else { continue }
            if failed.contains(inode) { Issue.record("\(call) again after it failed") }
            if call.failed { failed.insert(inode) }
        }
    }

    @Test("the batch is written once more, the same bytes, to a fresh segment named by its first sequence")
    func rewritten() throws {
        let open = try OpenLog(MemoryDisk())
        _ = open.append("a", "{\"n\":1}")
        let size = try #require(open.disk[segmentName(1)]).count
        open.disk.inject(Fault(.fails(SystemError.inputOutput), on: [.synchronizeData], times: 1))
        #expect(open.appendTogether([("a", "{\"n\":2}"), ("b", "{}")]) == [.fresh(2), .fresh(3)])
        let old = try #require(open.disk[segmentName(1)])
        #expect(open.disk[segmentName(2)] == Array(old[size...]))
        #expect(open.events.contains(.segmentBegun(name: segmentName(2))))
        #expect(open.append("a", "{\"n\":1}") == .duplicate(of: 1))
        #expect(open.append("b") == .duplicate(of: 3))
        #expect(open.disk[segmentName(1)] == old)
    }

    @Test("an empty predecessor of that name is renamed ….failed")
    func renamed() throws {
        let open = try OpenLog(MemoryDisk())
        open.disk.inject(Fault(.fails(SystemError.inputOutput), on: [.synchronizeData], times: 1))
        #expect(open.append("a") == .fresh(1))
        #expect(open.disk.files.keys.sorted() == [segmentName(1), segmentName(1, ".failed")])
        #expect(open.disk[segmentName(1)] == open.disk[segmentName(1, ".failed")])
        #expect(try OpenLog(open.disk.afterPowerLoss()).append("a") == .duplicate(of: 1))
    }

    @Test("when that fails too the batch is refused, the log says why, and the sequences are given to the next")
    func refused() throws {
        let open = try OpenLog(MemoryDisk())
        _ = open.append("a", "{\"n\":1}")
        open.disk.inject(Fault(.fails(SystemError.inputOutput), on: [.synchronizeData]))
        let reason = LogBlock.failed(SystemError(operation: "synchronizeData", path: segmentName(2), code: SystemError.inputOutput))
        #expect(open.append("a", "{\"n\":2}") == .blocked(reason))
        #expect(open.log.readiness(options: LogOptions()).block == reason)
        #expect(open.events.suffix(1) == [.blocked(reason)])
        let calls = open.disk.calls.count
        #expect(open.append("a", "{\"n\":3}") == .blocked(reason))
        #expect(open.disk.calls.count == calls, "a blocked log is left in peace")
        #expect(try open.records("a").map(\.sequence) == [1], "and can be read")

        open.clock.advance(milliseconds: 5_000)
        #expect(open.disk.calls.count { $0.operation == .synchronizeData && $0.failed } == 2 + 5, "one probe a second")
        open.disk.lift()
        #expect(open.append("a", "{\"n\":3}") == .blocked(reason))
        open.clock.advance(milliseconds: 1_000)
        #expect(open.log.readiness(options: LogOptions()).block == nil)
        #expect(open.events.last == .unblocked)
        #expect(open.append("a", "{\"n\":3}") == .fresh(2))
        #expect(open.append("a", "{\"n\":2}") == .fresh(3))
        #expect(open.disk.files.keys.sorted() == [segmentName(1), segmentName(2), segmentName(2, ".failed")].filter { open.disk[$0] != nil })
    }

    @Test("a write that takes a part goes on with the rest")
    func short() throws {
        let open = try OpenLog(MemoryDisk())
        open.disk.inject(Fault(.writesOnly(7), on: [.write]))
        #expect(open.appendTogether([("a", "{}"), ("b", "{}")]) == [.fresh(1), .fresh(2)])
        open.log.close()
        #expect(open.disk.files.count == 1)
        #expect(try OpenLog(open.disk.afterPowerLoss()).append("b") == .duplicate(of: 2))
    }
}
