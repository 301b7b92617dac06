// What a log goes through while it is recorded: batches of short and long records, rolls, checkpoints, faults, kills.
//
// Promises: the same steps each time; the drawn ones by their seed. Must not know: where the power goes.

import Glibc
import TestSupport
import Testing

@testable import CallbackLog

/// What a log goes through while it is recorded.
struct Workload: Sendable, CustomTestStringConvertible {
    let name: String
    let segmentBytesMax: Int64
    var shape = LogShape.bare
    let play: @Sendable (RecordedLog) throws -> Void
    var testDescription: String { "\(name), \(shape)" }

    func record() throws -> [Moment] {
        let log = try RecordedLog(testDescription, segmentBytesMax: segmentBytesMax, as: shape)
        try play(log)
        return log.moments
    }

    static let all: [Workload] = [
        steps, steps.filter { $0.isOfSegments }.map { $0.shaped(.whole) }, [retention], announced,
        (0..<7 as Range<UInt64>).map { seed in random(seed: seed).shaped(seed < 4 ? .bare : seed < 6 ? .whole : .retaining) },
    ].flatMap { $0 }

    /// More than the open segment is there.
    private var isOfSegments: Bool { segmentBytesMax < 1 << 20 || name == "a batch that fails" }

    private func shaped(_ shape: LogShape) -> Workload {
        var workload = self
        workload.shape = shape
        return workload
    }

    /// Segments go, whole and oldest first, one by one and several at once, while others come.
    private static let retention = Workload(name: "retention", segmentBytesMax: 3_000, shape: .retaining) { log in
        for round in 0..<4 {
            log.append([1_100, 1_100], retries: 1)
            log.append([1_100, 300])
            log.append([60, 1_100])
            if round == 1 { try log.restart() }
            if round.isMultiple(of: 2) { log.age() }
        }
        log.append([60])
    }

    private static let steps = [
        Workload(name: "appends with duplicates", segmentBytesMax: 1 << 20) { log in
            log.append([60])
            log.append([700, 60, 1_300], retries: 1)
            log.append([60, 60])
            log.append([2_500], retries: 2)
            log.append([300])
        },
        Workload(name: "batches written in pieces", segmentBytesMax: 6_000) { log in
            log.append([60])
            log.fail(Fault(.writesOnly(300), on: [.write]))
            log.append([700, 60, 1_300], retries: 1)
            log.append([60, 60, 60, 60, 60])
            log.append([2_500, 400], retries: 2)
            log.append([60, 60, 60, 900])
        },
        Workload(name: "rolls", segmentBytesMax: 1_500) { log in
            for bytes in [60, 900, 60, 700, 1_800, 60, 60] { log.append([bytes]) }
            log.append([400, 400, 400], retries: 1)
            log.append([60])
        },
        Workload(name: "checkpoints and a clean stop", segmentBytesMax: 2_500) { log in
            log.append([300])
            log.wait(milliseconds: 1_100)
            log.append([600, 60])
            log.wait(milliseconds: 1_100)
            log.append([900])
            log.wait(milliseconds: 1_100)
            log.append([60])
            log.close()
            try log.restart()
            log.append([60])
            log.close()
        },
        Workload(name: "a batch that fails", segmentBytesMax: 1 << 20) { log in
            log.append([700])
            log.fail(Fault(.fails(EIO), on: [.synchronizeData], times: 1))
            log.append([60, 800])
            log.append([300], retries: 1)
            log.fail(Fault(.fails(ENOSPC), on: [.write], times: 1))
            log.append([900, 60])
            log.append([60])
            log.fail(Fault(.failsThoughDone(EIO), on: [.synchronizeData], times: 1))
            log.append([500, 500])
            log.append([60])
        },
        Workload(name: "a batch that fails twice", segmentBytesMax: 1 << 20) { log in
            log.append([400])
            log.fail(Fault(.fails(EIO), on: [.synchronizeData]))
            log.append([600])
            log.append([60])
            log.lift()
            log.append([700], retries: 1)
            log.fail(Fault(.fails(EIO), on: [.synchronizeDirectory, .remove]))
            log.append([60, 600])
            log.lift()
            log.append([60])
        },
        Workload(name: "checkpoints that fail", segmentBytesMax: 1 << 20) { log in
            for bytes in [300, 120, 60, 270, 200, 90] {
                log.append([bytes])
                log.fail(Fault(.fails(EIO), on: [.synchronizeData]))
                log.wait(milliseconds: 1_100)
                try log.restart()
            }
            log.append([60])
        },
        Workload(name: "killed between", segmentBytesMax: 2_000) { log in
            log.append([60, 700])
            log.append([300])
            try log.restart()
            log.append([600])
            try log.restart()
            try log.restart()
            log.append([60, 1_200], retries: 1)
            log.append([60])
            log.wait(milliseconds: 1_100)
            try log.restart()
            log.append([60])
        },
    ]

    /// Requests that are announced, before and behind their callbacks, and fall due.
    private static let announced = [
        Workload(name: "announcements", segmentBytesMax: 1 << 20, play: announce),
        Workload(name: "announcements over segments", segmentBytesMax: 900, play: announce),
        Workload(name: "announcements over segments", segmentBytesMax: 900, shape: .whole, play: announce),
        Workload(name: "overdue records that fail", segmentBytesMax: 1 << 20) { log in
            log.hand([.announcement("late", seconds: 10), .announcement("open", seconds: 30)])
            log.fail(Fault(.fails(EIO), on: [.synchronizeData], times: 1))
            log.wait(milliseconds: 11_000)
            log.lift()
            log.fail(Fault(.fails(EIO), on: [.synchronizeData]))
            log.wait(milliseconds: 30_000)
            log.lift()
            log.wait(milliseconds: 2_000)
            log.hand([.callback("late")])
            try log.restart()
            log.append([60])
        },
        Workload(name: "announcements that are carried over", segmentBytesMax: 1_500, shape: .retaining) { log in
            log.hand([.announcement("open", seconds: 600_000), .announcement("late", seconds: 10), .callback("joined")])
            log.hand([.announcement("joined", seconds: 10), .announcement("longer", seconds: 5)])
            log.wait(milliseconds: 11_000)
            log.append([900])
            log.append([900])
            log.age()
            log.hand([.announcement("longer", seconds: 600_000), .announcement("open", seconds: 600_000)])
            try log.restart()
            log.append([900, 600])
            log.age()
            log.hand([.callback("longer"), .callback("joined")])
            log.append([900])
        },
    ]

    private static let announce: @Sendable (RecordedLog) throws -> Void = { log in
        log.hand([.announcement("open", seconds: 100), .announcement("late", seconds: 10), .callback("joined"), .announcement("joined", seconds: 10)])
        log.hand([.announcement("open", seconds: 100), .announcement("late", seconds: 12), .announcement("longer", seconds: 5)])
        log.wait(milliseconds: 6_000)
        log.append([300, 60], retries: 1)
        log.hand([.announcement("longer", seconds: 60)])
        log.wait(milliseconds: 8_000)
        try log.restart()
        log.hand([.callback("late"), .announcement("late", seconds: 50)])
        log.wait(milliseconds: 90_000)
        log.hand([.announcement("open", seconds: 200), .callback("longer")])
    }

    /// Steps drawn by `seed`.
    static func random(seed: UInt64) -> Workload {
        Workload(name: "drawn by \(seed)", segmentBytesMax: [1_000, 3_000, 1 << 20][Int(seed % 3)]) { log in
            var generator = SeededGenerator(seed: seed)
            for _ in 0..<14 {
                switch Int.random(in: 0..<16, using: &generator) {
                case 0...8:
                    let lengths = (0..<Int.random(in: 1...5, using: &generator)).map { _ in
                        [60, 60, 300, 500, 900, 2_000].randomElement(using: &generator) ?? 60
                    }
                    log.append(lengths, retries: Int.random(in: 0...2, using: &generator))
                case 9, 10: log.wait(milliseconds: 1_100)
                case 11: log.fail(Fault(.fails(EIO), on: [.synchronizeData], after: Int.random(in: 0...2, using: &generator), times: 1))
                case 12: log.fail(Fault(.fails(EIO), on: Operation.changing, after: Int.random(in: 0...6, using: &generator), times: 3))
                case 13: log.fail(Fault(.writesOnly(Int.random(in: 100...700, using: &generator)), on: [.write], times: 9))
                case 14: log.lift()
                default: try log.restart()
                }
            }
        }
    }
}
