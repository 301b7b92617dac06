// The power goes after any call of a workload, and any part of what was not synced is gone (StoredFile.swift).
//
// Promises: of every image: what was acknowledged is there, once, in order; nothing is invented; nothing that only a
// crash did is called damage; sequences go on densely; and a record more outlives the next power loss. Then the
// same where the power goes again while the log recovers, and where the process had been killed before it went.
// Must not know: how recovery goes about it.

import Platform
import TestSupport
import Testing

@testable import CallbackLog

@Suite struct PowerLossTests {
    /// POWER_LOSS_IMAGES=10 tries ten times as many images.
    private static let factor = ProcessEnvironment.variables["POWER_LOSS_IMAGES"].flatMap { Int($0) } ?? 1

    /// How many images of a moment are tried; fewer where each takes longer.
    private func bound(_ count: Int, _ workload: Workload) -> Int { Self.factor * (workload.shape == .bare ? count : max(1, count / 3)) }

    /// All moments; where each takes longer, every fifth.
    private func thinned(_ moments: [Moment], _ workload: Workload) -> [Moment] {
        if workload.shape == .bare || Self.factor > 1 { return moments }
        return stride(from: moments.count % 5, to: moments.count, by: 5).map { moments[$0] }
    }

    /// Tries images of every moment; those alike only once.
    private func check(_ moments: [Moment], as shape: LogShape, imagesPerMoment: Int, seed: UInt64, seen: inout Set<Image>) {
        for (number, moment) in moments.enumerated() {
            moment.contents.forEachImage(countMax: imagesPerMoment, seed: seed + UInt64(number)) { files, how in
                guard seen.insert(Image(files: files, highest: moment.model.highest)).inserted else { return }
                expectKept(moment.model, on: MemoryDisk(files, hasFixedIdentity: false), as: shape, "\(moment.what) [\(how)]")
            }
        }
    }

    private struct Image: Hashable {
        let files: [String: [UInt8]]
        let highest: UInt64

        func hash(into hasher: inout Hasher) {
            for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
                hasher.combine(name)
                hasher.combine(CRC32C.checksum(bytes.span))
            }
        }
    }

    @Test("whatever the power leaves of what was not synced, the log keeps its promises", arguments: Workload.all)
    func once(workload: Workload) throws {
        var seen: Set<Image> = []
        let moments = try workload.record()
        check(moments, as: workload.shape, imagesPerMoment: bound(16, workload), seed: 1, seen: &seen)
        #expect(seen.count > 30)
    }

    @Test("also where it goes again at any call of the recovery", arguments: Workload.all)
    func duringRecovery(workload: Workload) throws {
        var seen: Set<Image> = []
        for moment in thinned(try workload.record(), workload) {
            moment.contents.forEachImage(countMax: bound(3, workload), seed: 2) { files, how in
                guard let recovered = try? RecordedLog("\(moment.what) [\(how)]", on: MemoryDisk(files, hasFixedIdentity: false), model: moment.model, segmentBytesMax: 1_500, as: workload.shape) else {
                    Issue.record("\(moment.what) [\(how)] does not open")
                    return
                }
                check(recovered.moments, as: workload.shape, imagesPerMoment: bound(3, workload), seed: 3, seen: &seen)
            }
        }
        #expect(seen.count > 30)
    }

    @Test("also where the process was killed, recovered, and then the power went", arguments: Workload.all)
    func afterKill(workload: Workload) throws {
        var seen: Set<Image> = []
        for moment in thinned(try workload.record(), workload) {
            // What the kernel could not write it shows for as long as it does not need the memory.
            for isEvicted in moment.contents.hasLost ? [false, true] : [false] {
                var generator = SeededGenerator(seed: 5)
                let disk = MemoryDisk(isEvicted ? moment.contents.evicted { Int.random(in: 0...$0, using: &generator) } : moment.contents, hasFixedIdentity: false)
                let killed = try RecordedLog("\(moment.what), killed\(isEvicted ? " and evicted" : "")", on: disk, model: moment.model, segmentBytesMax: 1_500, as: workload.shape)
                killed.append([700, 60])
                check(killed.moments, as: workload.shape, imagesPerMoment: bound(3, workload), seed: 4, seen: &seen)
            }
        }
        #expect(seen.count > 30)
    }
}
