// Who stands in line to be asked.

import Testing

@testable import CallbackReceiver

@Suite("A line of those to be asked")
struct AskingTests {
    @Test("batch by batch in the order in which they came, one batch at a time")
    func order() {
        var line = AskingLine()
        for ticket in 1...70 { line.add(UInt64(ticket)) }
        var asked: [UInt64] = []
        while true {
            let batch = line.takeBatch()
            guard !batch.isEmpty else { break }
            #expect(batch.count <= AskingLine.batchMax && line.takeBatch().isEmpty)
            asked += batch
            line.batchEnded()
        }
        #expect(asked == Array(1...70))
    }

    @Test("whoever always comes back before all are through makes it no longer", arguments: [33, 64, 1_000])
    func comingBack(count: Int) {
        var line = AskingLine()
        for ticket in 0..<count { line.add(UInt64(ticket)) }
        var next = 0
        for _ in 0..<10_000 {
            let batch = line.takeBatch()
            #expect(batch.first == UInt64(next))
            next = (next + batch.count) % count
            for ticket in batch { line.add(ticket) }
            line.batchEnded()
            #expect(line.tickets.count <= 2 * count + AskingLine.batchMax)
        }
    }
}
