// The power goes after any call of a workload, and any part of what was not synced is gone (StoredFile.swift).
//
// Promises: of every image: what was acknowledged is there, once, in order; nothing is invented; nothing that only a
// crash did is called damage; sequences go on densely; and a record more outlives the next power loss. Then the
// same where the power goes again while the log recovers, and where the process had been killed before it went.
// Must not know: how recovery goes about it.

import Testing

@testable import CallbackLog

@Suite struct PowerLossTests {
    private static let segmentBytesMax: Int64 = 1_500

    /// What is wrong with the log that is opened on `disk`; empty when it keeps every promise.
    private func faults(on disk: MemoryDisk, _ promised: AcknowledgedRecords) -> [String] {
        do {
            var model = promised
            let open = try OpenLog(disk, segmentBytesMax: Self.segmentBytesMax)
            var faults = model.faults(in: open, identifiers: RecordedLog.identifiers)
            if open.log.report.damageCount > 0 { faults.append("a crash is no damage: \(open.log.report)") }
            if open.log.durable < model.highest { faults.append("\(model.highest) was told and \(open.log.durable) is durable") }
            let retry = model.sequences.max { $0.value < $1.value }?.key
            let fresh = AcknowledgedRecords.Callback(identifier: "a", payload: "{\"fresh\":\(open.log.durable + 1)}")
            model.lose(fresh)
            let callbacks = [fresh] + [retry].compactMap { $0 }
            let next = open.log.durable + 1
            let outcomes = open.appendTogether(callbacks.map { ($0.identifier, $0.payload) })
            faults += zip(callbacks, outcomes).compactMap { model.take($1, of: $0) }
            if outcomes.first != .fresh(next) { faults.append("\(next) was due and the answer \(String(describing: outcomes.first))") }
            open.log.close()
            let again = try OpenLog(open.disk.afterPowerLoss(), segmentBytesMax: Self.segmentBytesMax)
            faults += model.faults(in: again, identifiers: RecordedLog.identifiers).map { "after a clean stop: \($0)" }
            let report = again.log.report
            if report.damageCount > 0 || report.tear != nil || report.copied > 0 { faults.append("after a clean stop: \(report)") }
            return faults
        } catch {
            return ["does not open: \(error)"]
        }
    }

    /// Tries images of every moment; those alike only once.
    private func check(_ moments: [Moment], imagesPerMoment: Int, seed: UInt64, seen: inout Set<Image>) {
        for (number, moment) in moments.enumerated() {
            moment.contents.forEachImage(countMax: imagesPerMoment, seed: seed + UInt64(number)) { files, how in
                guard seen.insert(Image(files: files, highest: moment.model.highest)).inserted else { return }
                let faults = faults(on: MemoryDisk(files), moment.model)
                if !faults.isEmpty { Issue.record("\(moment.what) [\(how)]: \(faults.joined(separator: "; "))") }
            }
        }
    }

    private struct Image: Hashable {
        let files: [String: [UInt8]]
        let highest: UInt64
    }

    @Test("whatever the power leaves of what was not synced, the log keeps its promises", arguments: Workload.all)
    func once(workload: Workload) throws {
        var seen: Set<Image> = []
        let moments = try workload.record()
        check(moments, imagesPerMoment: 100, seed: 1, seen: &seen)
        #expect(seen.count > 40)
    }

    @Test("also where it goes again at any call of the recovery", arguments: Workload.all)
    func duringRecovery(workload: Workload) throws {
        var seen: Set<Image> = []
        for moment in try workload.record() {
            moment.contents.forEachImage(countMax: 6, seed: 2) { files, how in
                guard let recovered = try? RecordedLog("\(moment.what) [\(how)]", on: MemoryDisk(files), model: moment.model, segmentBytesMax: 1_500) else {
                    Issue.record("\(moment.what) [\(how)] does not open")
                    return
                }
                check(recovered.moments, imagesPerMoment: 6, seed: 3, seen: &seen)
            }
        }
        #expect(seen.count > 40)
    }

    @Test("also where the process was killed, recovered, and then the power went", arguments: Workload.all)
    func afterKill(workload: Workload) throws {
        var seen: Set<Image> = []
        for moment in try workload.record() {
            let killed = try RecordedLog("\(moment.what), killed", on: MemoryDisk(moment.contents), model: moment.model, segmentBytesMax: 1_500)
            killed.append([700, 60])
            check(killed.moments, imagesPerMoment: 12, seed: 4, seen: &seen)
        }
        #expect(seen.count > 40)
    }
}
