// Any interleaving of appends, batches, faults, kills, power losses and starts, against the model of what was
// acknowledged. Seeded: a failure names its seed and its steps.
// Promises: each step is checked, and each start; reads are checked while no fault is injected.
// Must not know: how the log is made, beyond its queue, which it holds to make batches.

import Platform
import TestSupport
import Testing

@testable import CallbackLog

@Suite struct RandomizedTests {
    /// One run: a world of few ids and few payloads, so that nearly everything meets a duplicate.
    private struct Run {
        /// The last one's callback never comes.
        static let identifiers = ["a", "b\"", "c\\", "d", "never"]
        var generator: SeededGenerator
        let clock = TurnedClock()
        var disk: MemoryDisk
        var model = AcknowledgedRecords()
        var open: OpenLog?
        var steps: [String] = []
        let segmentBytesMax: Int64
        /// Some runs have colliding hashes only.
        let hashMask: UInt64
        /// In some runs index files and the file of open announcements are there, and in some reads fail, too: what cannot be
        /// read back is stored again, and is no duplicate.
        let hasUpkeep: Bool

        init(seed: UInt64) {
            generator = SeededGenerator(seed: seed)
            segmentBytesMax = [300, 700, 1 << 20].randomElement(using: &generator) ?? 700
            hashMask = [.max, 1, 0].randomElement(using: &generator) ?? 0
            hasUpkeep = seed % 3 == 0
            model.mayRepeat = seed.isMultiple(of: 2)
            // Lines are short: on small sectors many of them lie on two.
            disk = MemoryDisk(sectorBytes: [64, StoredFile.sectorBytes].randomElement(using: &generator) ?? 64)
        }

        mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

        /// Runs until something is wrong; says what.
        mutating func play(stepCount: Int) -> [String] {
            for _ in 0..<stepCount {
                let faults = step()
                if !faults.isEmpty { return faults }
            }
            return []
        }

        private mutating func step() -> [String] {
            guard let open else { return start() }
            defer { self.open?.settleAll() }
            switch number(0...21) {
            case 0...8: return append(to: open)
            case 20, 21: return announce(to: open)
            case 9, 10: inject(into: open.disk)
            case 11, 12:
                steps.append("lift")
                open.disk.lift()
            case 13...15:
                let milliseconds = [1, 400, 1_000, 3_000, 20_000].randomElement(using: &generator) ?? 1
                steps.append("advance \(milliseconds)")
                clock.advance(milliseconds: Int64(milliseconds))
            case 16: return crash(open)
            case 17:
                steps.append("close")
                open.log.close()
                return crash(open)
            case 18: return crashInFlight(open)
            default:
                guard number(0...3) == 0 else { return [] }
                steps.append("gone and back")
                open.disk.setGone(true)
                let faults = append(to: open)
                open.disk.setGone(false)
                return faults
            }
            return []
        }

        private mutating func callbacks() -> [AcknowledgedRecords.Callback] {
            (0..<number(1...5)).map { _ in
                AcknowledgedRecords.Callback(
                    identifier: Self.identifiers[number(0...(Self.identifiers.count - 2))], payload: "{\"n\":\(number(0...(5 + model.sequences.count / 3)))}")
            }
        }

        private mutating func append(to open: OpenLog) -> [String] {
            let callbacks = callbacks()
            let outcomes = open.appendTogether(callbacks.map { ($0.identifier, $0.payload) })
            steps.append("append \(zip(callbacks, outcomes).map { "\($0.identifier)\($0.payload) → \($1.map { "\($0)" } ?? "nothing")" })")
            let faults = zip(callbacks, outcomes).compactMap { model.take($1, of: $0) }
            open.settleAll()
            return faults.isEmpty ? self.faults(in: open) : faults
        }

        /// What is wrong with what the log shows. Reads may fail while faults are injected: then what comes after them tells.
        private func faults(in open: OpenLog) -> [String] {
            guard open.disk.state.withLock({ $0.faults.isEmpty }) else { return [] }
            if open.log.shared.published.withLock({ !$0.expectations.isWhole || $0.expectations.earliestDue == Expectations.doubtful }) {
                clock.advance(milliseconds: Int64(ExpectationKeeper.retryMilliseconds))
                open.settleAll()
            }
            return model.faults(in: open, identifiers: Self.identifiers)
        }

        /// Announcements in one batch; of few requests and few texts, so that nearly each was there before.
        private mutating func announce(to open: OpenLog) -> [String] {
            let announcements = (0..<number(1...3)).map { _ in
                AnnouncedRequests.Announcement(
                    identifier: Self.identifiers[number(0...(Self.identifiers.count - 1))], members: members([5, 10, 60][number(0...2)]))
            }
            let now = clock.now
            let areAlone = announcements.map { model.lose($0) }
            let outcomes = open.together { announcements.map { open.submitAnnouncement($0.identifier, $0.members) } }
            steps.append("announce \(zip(announcements, outcomes).map { "\($0) → \($1.map { "\($0)" } ?? "nothing")" })")
            let faults = zip(announcements, zip(outcomes, areAlone)).compactMap { model.take($1.0, of: $0, at: now, isAlone: $1.1) }
            open.settleAll()
            return faults.isEmpty ? self.faults(in: open) : faults
        }

        private mutating func inject(into disk: MemoryDisk, isOpening: Bool = false) {
            let code = number(0...1) == 0 ? SystemError.inputOutput : SystemError.noSpace
            let effect: Fault.Effect = [.fails(code), .fails(code), .failsThoughDone(code), .writesOnly(number(0...3))][number(0...3)]
            let operations: Set<CallbackLogTests.Operation> =
                (number(0...2) == 0 ? Set(Operation.allCases) : [Operation.allCases[number(0...(Operation.allCases.count - 1))]])
                .subtracting(isOpening || model.mayRepeat ? [] : [.read])
            let fault = Fault(effect, on: operations, after: number(0...6), times: [1, 2, 3, .max][number(0...3)])
            steps.append("inject \(fault)")
            disk.inject(fault)
        }

        private mutating func leave(_ disk: MemoryDisk) {
            open = nil
            if number(0...1) == 0 {
                steps.append("kill")
                self.disk = disk.afterKill()
            } else {
                steps.append("power loss")
                self.disk = disk.afterPowerLoss { Int.random(in: 0...$0, using: &generator) }
            }
        }

        private mutating func crash(_ open: OpenLog) -> [String] {
            leave(open.disk)
            return []
        }

        /// The process goes while an fdatasync runs.
        private mutating func crashInFlight(_ open: OpenLog) -> [String] {
            let callbacks = callbacks()
            let hold = open.disk.holdSynchronization()
            open.log.writer.queue.suspend()
            let tickets = callbacks.map { open.submit($0.identifier, $0.payload) }
            open.log.writer.queue.resume()
            // All duplicates, or blocked: then nobody comes to the hold, and the queue says so.
            open.log.writer.queue.async { hold.arrive() }
            _ = hold.wait()
            steps.append("in flight \(callbacks)")
            let disk = open.disk
            leave(disk)
            var faults: [String] = []
            for (callback, ticket) in zip(callbacks, tickets) {
                // Slices that passed before the hold, and duplicates, may have been told.
                if let outcome = open.outcome(ticket) { faults += [model.take(outcome, of: callback)].compactMap { $0 } } else { model.lose(callback) }
            }
            hold.release()
            open.settle()
            return faults
        }

        private mutating func start() -> [String] {
            if number(0...3) == 0 {
                inject(into: disk, isOpening: true)
                if (try? Recovery(disk)) == nil { steps.append("start failed") }
                disk.lift()
                if number(0...1) == 0 { leave(disk) }
            }
            steps.append("start")
            do {
                let open = try OpenLog(disk, segmentBytesMax: segmentBytesMax, hashMask: hashMask, clock: clock) { $0.hasUpkeep = hasUpkeep }
                self.open = open
                open.settleAll()
                if open.log.report.damageCount > 0 { return ["a crash is no damage: \(open.log.report)"] }
                return faults(in: open)
            } catch {
                return ["does not open: \(error)"]
            }
        }
    }

    @Test("whatever happens, what was acknowledged is there, once, in order, and nothing is invented", arguments: 0..<70 as Range<UInt64>)
    func anything(seed: UInt64) throws {
        var run = Run(seed: seed)
        let faults = run.play(stepCount: 120)
        let steps = run.steps.suffix(25).joined(separator: "\n")
        #expect(faults.isEmpty, "seed \(seed), step \(run.steps.count): \(faults.joined(separator: "; "))\nafter\n\(steps)")
        #expect(!run.model.sequences.isEmpty)
    }
}
