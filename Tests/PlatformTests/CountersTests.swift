// Counters and histograms: what is counted is read, by whoever counts and by others.

import Dispatch
import Foundation
import Platform
import Testing

@Suite("Counters")
struct CountersTests {
    @Test("cells begin at 0, count alone, and come and go")
    func cells() {
        let counters = Counters<3>()
        for cell in 0..<3 { #expect(counters[cell] == 0) }
        counters.add(at: 1)
        counters.add(5, at: 1)
        counters.add(at: 2)
        counters.subtract(at: 2)
        counters.set(7, at: 0)
        #expect(counters[0] == 7 && counters[1] == 6 && counters[2] == 0)
        counters.add(.max, at: 0)
        #expect(counters[0] == 6)
    }

    @Test("a value belongs to the first bound that is not below it; the rest is above all")
    func histogram() {
        let bounds = HistogramBounds([10, 20, 50])
        let counters = Counters<11>()
        for value in [0, 10, 11, 20, 50, 51, 1_000] as [UInt64] { counters.observe(value, bounds, at: 5) }
        let reading = counters.histogram(bounds, at: 5)
        #expect(reading.counts == [2, 2, 1, 2])
        #expect(reading.sum == 1_142 && reading.count == 7)
        #expect((0..<5).allSatisfy { counters[$0] == 0 } && counters[10] == 0, "its neighbours are as they were")
        var both = HistogramReading(bounds)
        both.add(counters, at: 5)
        both.add(counters, at: 5)
        #expect(both.count == 14 && both.sum == 2_284)
    }

    private final class Shared: Sendable {
        let counters = Counters<2>()
    }

    @Test("whoever reads while another counts sees whole numbers that never fall")
    func concurrently() {
        let shared = Shared()
        let group = DispatchGroup()
        DispatchQueue(label: "counting").async(group: group) {
            for _ in 0..<200_000 { shared.counters.add(1 << 32 | 1, at: 0) }
            shared.counters.set(1, at: 1)
        }
        var last: UInt64 = 0
        while shared.counters[1] == 0 {
            let now = shared.counters[0]
            #expect(now >= last && now >> 32 == now & 0xFFFF_FFFF)
            last = now
        }
        group.wait()
        #expect(shared.counters[0] == 200_000 << 32 | 200_000)
    }
}

@Suite("What the kernel says of this process")
struct ProcessFiguresTests {
    @Test("is of this process, and follows it")
    func figures() throws {
        let before = try #require(ProcessFigures.read())
        #expect(before.residentBytes > 1 << 20 && before.residentBytes < before.virtualBytes)
        #expect(before.openDescriptors >= 3 && UInt64(before.openDescriptors) < before.descriptorsMax)
        let now = Date().timeIntervalSince1970
        #expect(before.startSeconds < now && before.startSeconds > now - 86_400)
        // A busy process uses time.
        var after = before
        while after.cpuSeconds <= before.cpuSeconds { after = try #require(ProcessFigures.read()) }
        #expect(after.startSeconds == before.startSeconds)
        let handles = try (0..<50).map { _ in try FileHandle(forReadingFrom: URL(filePath: "/dev/null")) }
        // Other tests of this process open and close, too.
        #expect(try #require(ProcessFigures.read()).openDescriptors > 50)
        withExtendedLifetime(handles) {}
    }
}
