// A start that takes long: the service manager gives it more time while it works.

import Platform
import Testing
import TestSupport

@testable import CallbackReceiver

@Suite("A long start")
struct LongStartTests {
    @Test("asks for more time while it works, and no longer once it listens")
    func extended() throws {
        let manager = try ServiceManagerSocket()
        let environment = ServiceEnvironment(variables: ["NOTIFY_SOCKET": manager.address], processID: 1)
        let service = ServiceManager(environment, logger: KeptLog().logger, startLookMilliseconds: 20)
        service.starting("reading\nwhat there is")
        var sum: UInt64 = 0
        func hasCome(_ count: Int) -> Bool {
            for number in 0..<1_000_000 as Range<UInt64> { sum = sum &* 31 &+ number }
            return manager.messages.count { $0 == ["EXTEND_TIMEOUT_USEC=30000000"] } >= count
        }
        try eventually("more time, again and again", holds: { hasCome(2) })
        #expect(manager.messages.first == ["STATUS=reading what there is"], "a status is one line, whatever it is of; \(sum)")
        let running = try RunningServer()
        service.ready(running.server)
        let ready = try manager.wait(for: "READY=1").count
        service.stopping(drainSeconds: 3)
        service.end()
        let after = manager.messages.dropFirst(ready)
        #expect(after.count == 1 && after.first?.prefix(2) == ["STOPPING=1", "EXTEND_TIMEOUT_USEC=8000000"], "\(after)")
    }
}
