// The filter says no only where that is true, and says it of most that are not there.

import TestSupport
import Testing

@testable import CallbackLog

@Suite("A filter never denies what is there")
struct RequestFilterTests {
    @Test("of what was inserted it says yes, however short hashes are cut", arguments: [0, 1, 15, 255, 0xFFFF, .max] as [UInt64], [1, 2, 42, 43, 1_000])
    func noFalseNo(mask: UInt64, count: Int) {
        var numbers = SeededGenerator(seed: mask ^ UInt64(count))
        var filter = RequestFilter(records: count)
        let hashes = (0..<count).map { _ in numbers.next() & mask }
        for hash in hashes { filter.insert(hash) }
        #expect(hashes.allSatisfy { filter.mayHold(RequestFilter.Probe($0)) })
        #expect(filter.blocks.count == (count * 12 + 511) / 512)
    }

    @Test("of strangers it says yes for less than one in a hundred")
    func fewFalseYes() {
        var numbers = SeededGenerator(seed: 11)
        var filter = RequestFilter(records: 20_000)
        for _ in 0..<20_000 { filter.insert(numbers.next()) }
        let wrong = (0..<20_000).count { _ in filter.mayHold(RequestFilter.Probe(numbers.next())) }
        #expect(wrong < 200)
    }

    @Test("an empty filter holds nothing")
    func empty() {
        let filter = RequestFilter(records: 0)
        #expect(filter.byteCount == 0)
        for hash in [0, 1, .max] as [UInt64] { #expect(!filter.mayHold(RequestFilter.Probe(hash))) }
    }
}
