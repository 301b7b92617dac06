// Lines on their way to a reader who may have stopped: nobody waits, order is kept, and what is missing is told where it is missing.

import Dispatch
import Synchronization
import TestSupport
import Testing

@testable import callback_receiver

@Suite("Lines on their way to standard error")
struct LineQueueTests {
    /// Standard error; held while nobody reads.
    private final class Reader: Sendable {
        private let lines = Mutex<[String]>([])
        private let gate = DispatchSemaphore(value: 0)
        private let isHeld: Bool
        init(isHeld: Bool) { self.isHeld = isHeld }
        func write(_ line: String) {
            if isHeld { gate.wait(); gate.signal() }
            lines.withLock { $0.append(line) }
        }
        func read() { gate.signal() }
        var all: [String] { lines.withLock { $0 } }
    }

    private func queue(_ reader: Reader) -> LineQueue { LineQueue(write: reader.write) { "\($0) missing\n" } }

    @Test("arrive in their order, and all of them before the process ends")
    func order() {
        let reader = Reader(isHeld: false)
        let queue = queue(reader)
        for number in 0..<1_000 { queue.append("\(number)\n") }
        queue.flush()
        #expect(reader.all == (0..<1_000).map { "\($0)\n" })
    }

    @Test("do not hold whoever logs while nobody reads; beyond the bound they are dropped, and told where they are missing")
    func held() throws {
        let reader = Reader(isHeld: true)
        let queue = queue(reader)
        let line = String(repeating: "x", count: 1_023) + "\n"
        let room = LineQueue.waitingBytesMax / 1_024
        for _ in 0..<room + 7 { queue.append(line) }
        // Nothing that is shorter slips in between.
        queue.append("y\n")
        queue.flush(milliseconds: 1)
        #expect(reader.all.isEmpty)
        reader.read()
        queue.flush()
        #expect(reader.all == [String](repeating: line, count: room) + ["8 missing\n"])
        queue.append("z\n")
        queue.flush()
        #expect(reader.all.count == room + 2 && reader.all.last == "z\n")
    }

    @Test("of many at once are each written once or counted as missing")
    func many() {
        let reader = Reader(isHeld: false)
        let queue = queue(reader)
        let line = String(repeating: "x", count: 500) + "\n"
        DispatchQueue.concurrentPerform(iterations: 4) { _ in for _ in 0..<20_000 { queue.append(line) } }
        queue.flush()
        let missing = reader.all.compactMap { $0.hasSuffix(" missing\n") ? Int($0.prefix { $0 != " " }) : nil }.reduce(0, +)
        #expect(reader.all.count { $0 == line } + missing == 80_000)
    }
}
