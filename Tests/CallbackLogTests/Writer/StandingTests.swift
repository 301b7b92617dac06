// What the operator hears of a log that takes nothing: once for each time, whoever finds it, and when it is over.
//
// Promises: time is turned, the fdatasync held by hand. Must not know: how it is said.

import Dispatch
import Platform
import Testing

@testable import CallbackLog

@Suite struct StandingTests {
    private let options = LogOptions()

    /// What says whether callbacks are taken.
    private func said(_ open: OpenLog) -> [LogNotice] {
        open.events.filter {
            switch $0 {
            case .blocked, .unblocked, .stalled, .answered: true
            default: false
            }
        }
    }

    /// The checkpoint is written: no timer of the writer's is due while it is held.
    private func rest(_ open: OpenLog) { open.clock.advance(milliseconds: 5_000) }

    @Test("a disk that hangs is said once, and once that it answers again")
    func stalled() throws {
        let open = try OpenLog(MemoryDisk())
        for _ in 0..<2 {
            let before = said(open).count
            rest(open)
            let hold = open.disk.holdSynchronization()
            _ = open.submit("a", "{\"n\":\(before)}")
            try #require(hold.wait())
            open.clock.advance(milliseconds: 3_900)
            open.log.noteStall()
            #expect(said(open).count == before && open.log.stallMilliseconds == nil)
            open.clock.advance(milliseconds: 1_000)
            for _ in 0..<3 { open.log.noteStall() }
            #expect(open.log.stallMilliseconds == 4_900)
            open.clock.advance(milliseconds: 7_000)
            // Asking whether it is ready finds the same, and says it no more.
            #expect(open.log.readiness(options: options).busyMilliseconds == 11_900)
            hold.release()
            open.settle()
            #expect(said(open).dropFirst(before) == [.stalled(milliseconds: 4_900), .answered(milliseconds: 11_900)])
            open.log.noteStall()
            #expect(said(open).count == before + 2 && open.log.stallMilliseconds == nil)
        }
    }

    @Test("a disk that hangs is found by whoever asks whether the log is ready, too; one that is slow is said nothing of")
    func asked() throws {
        let open = try OpenLog(MemoryDisk())
        for milliseconds in [Int64(4_000), 6_000] {
            rest(open)
            let hold = open.disk.holdSynchronization()
            _ = open.submit("a", "{\"n\":\(milliseconds)}")
            try #require(hold.wait())
            open.clock.advance(milliseconds: milliseconds)
            _ = open.log.readiness(options: options)
            hold.release()
            open.settle()
        }
        #expect(said(open) == [.stalled(milliseconds: 6_000), .answered(milliseconds: 6_000)])
    }

    @Test("a disk that hangs and then fails has answered with that: what is said last is that nothing is taken")
    func failed() throws {
        let open = try OpenLog(MemoryDisk())
        _ = open.append("a")
        rest(open)
        let hold = open.disk.holdSynchronization()
        _ = open.submit("b", "{}")
        try #require(hold.wait())
        open.clock.advance(milliseconds: 6_000)
        open.log.noteStall()
        open.disk.setGone(true)
        hold.release()
        open.settle()
        let gone = LogBlock.directoryGone(path: open.disk.path)
        #expect(said(open) == [.stalled(milliseconds: 6_000), .blocked(gone)])
        open.disk.setGone(false)
        open.clock.advance(milliseconds: 1_000)
        #expect(said(open) == [.stalled(milliseconds: 6_000), .blocked(gone), .unblocked])
    }

    @Test("too little space or a directory that is gone is said while nothing is appended, once, and that it is over", arguments: [false, true], [false, true])
    func idle(isGone: Bool, isWatchdog: Bool) throws {
        let open = try OpenLog(MemoryDisk())
        _ = open.append("a")
        rest(open)
        let timers = open.clock.timerCount
        for round in 1...2 {
            if isGone { open.disk.setGone(true) } else { open.disk.setFreeBytes(0) }
            let reason = isGone ? LogBlock.directoryGone(path: open.disk.path) : .space(freeBytes: 0, freeBytesMin: options.freeBytesMin)
            for _ in 0..<3 {
                if isWatchdog { open.log.askWriter {} } else { #expect(open.log.readiness(options: options).block == reason) }
                open.settle()
            }
            #expect(said(open).suffix(1) == [.blocked(reason)] && said(open).count == 2 * round - 1)
            #expect(open.append("a", "{\"n\":\(round)}") == .blocked(reason))
            #expect(said(open).count == 2 * round - 1, "the writer says it no second time")
            open.disk.setGone(false)
            open.disk.setFreeBytes(.max)
            open.clock.advance(milliseconds: 1_000)
            #expect(said(open).last == .unblocked && said(open).count == 2 * round)
            #expect(open.log.readiness(options: options).block == nil)
        }
        rest(open)
        #expect(open.clock.timerCount == timers, "nothing ticks while all is well")
    }
}
