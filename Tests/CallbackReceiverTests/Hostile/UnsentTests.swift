// What a loop keeps of answers that nobody takes, over all connections together.
//
// Promises: the bound is the real one, and is reached. Must not know: how long a peer has to take an answer (patience).

import Testing
import TestSupport

@testable import CallbackReceiver

@Suite("Hostile: answers that are not taken")
struct UnsentTests {
    @Test("beyond the bound of a loop the reader that has waited for longest is left, and the others get all of their answer")
    func bound() throws {
        let still = try StillServer()
        try still.fillPage()
        let answer = try still.get(StillServer.page)
        let fits = Loop.unsentInAllBytesMax / answer.body.count
        var readers: [NarrowConnection] = []
        for _ in 0..<fits + 40 {
            let reader = try NarrowConnection(port: still.port)
            reader.offer(requestBytes("GET", StillServer.page))
            readers.append(reader)
            // Between any two of them whoever takes his answers is served.
            try still.askClient()
        }
        try still.serveClient()
        // The kernel holds some of each answer, so that a few more than fit are open.
        #expect(still.strangers < readers.count && still.strangers >= fits)
        let left = readers.count - still.strangers
        #expect(try readers[0].take(answer.body.count) < answer.body.count)
        #expect(try readers[left - 1].take(answer.body.count) < answer.body.count)
        #expect(try readers[left].take(answer.body.count) == answer.body.count)
        #expect(try readers[readers.count - 1].take(answer.body.count) == answer.body.count)
    }
}
