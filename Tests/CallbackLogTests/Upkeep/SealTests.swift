// Sealing the open segment, by age or on damage: what it must not cost.
//
// Promises: every call of it fails once in its turn, done or not; what is acknowledged after that is there after a
// kill and after a power loss. Must not know: when upkeep asks for it (RetentionTests).

import Platform
import Testing

@testable import CallbackLog

@Suite struct SealTests {
    private func seal(_ open: OpenLog) {
        open.log.writer.queue.sync { open.log.writer.withValue { $0.seal(olderThan: nil) } }
    }

    @Test(
        "a segment that could not be begun is not the end of the one before: what is acknowledged then stays",
        arguments: [Fault.Effect.fails(SystemError.inputOutput), .failsThoughDone(SystemError.inputOutput)], [false, true])
    func failed(effect: Fault.Effect, staysBehind: Bool) throws {
        for call in 0..<14 {
            let open = try OpenLog(MemoryDisk())
            #expect(open.append("a") == .fresh(1))
            let fault = Fault(effect, on: [.names, .create, .write, .synchronizeData, .synchronizeDirectory, .isGone, .isLinked], after: call, times: 1)
            if staysBehind {
                open.disk.inject(fault, Fault(.fails(SystemError.inputOutput), on: [.remove]))
            } else {
                open.disk.inject(fault)
            }
            seal(open)
            open.disk.lift()
            #expect(open.append("b") == .fresh(2))
            #expect(try OpenLog(open.disk.afterKill()).append("b") == .duplicate(of: 2), "killed, call \(call)")
            #expect(try OpenLog(open.disk.afterPowerLoss()).append("b") == .duplicate(of: 2), "power loss, call \(call)")
        }
    }
}
