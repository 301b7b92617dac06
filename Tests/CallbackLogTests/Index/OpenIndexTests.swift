// What the index of the open segment knows beside request hashes: states, keys, and where a sequence is.

import TestSupport
import Testing

@testable import CallbackLog

@Suite("The open segment's index tells states, keys and sequences")
struct OpenIndexTests {
    @Test("every state of every kind comes back, beside the longest line")
    func states() {
        var index = SegmentIndex(first: 1)
        var expected: [RecordState] = []
        for kind in [RecordKind.callback, .announcement, .overdue, .unknown] {
            for status in 0...20 as ClosedRange<UInt8> {
                for failureClass in 0...20 as ClosedRange<UInt8> {
                    let state = RecordState(kind, status: status, failureClass: failureClass)
                    let entry = RecordEntry(
                        sequence: UInt64(expected.count + 1), requestHash: UInt64(status % 3), payloadHash: 0, offset: .max,
                        length: UInt32(RecordFormat.lineBytesMax), kind: kind, state: state)
                    index.append(entry)
                    expected.append(state)
                    #expect(index[expected.count - 1] == entry)
                }
            }
        }
        #expect(expected.indices.allSatisfy { index.state($0) == expected[$0] })
        #expect(RecordState(.announcement, status: 2).status == 4 && RecordState(.overdue).status == 5)
        #expect(RecordState(.callback, status: 9, failureClass: 99) == RecordState(.callback, status: 3, failureClass: 15))
    }

    @Test("a key leads to every record that has it, newest first, each once; few others are like it")
    func keys() {
        var numbers = SeededGenerator(seed: 11)
        var index = SegmentIndex(first: 1)
        var expected: [UInt64: [UInt64]] = [:]
        var hashes = (0..<300).map { _ in numbers.next() }
        hashes += [0, .max]
        for sequence in 1...5_000 as ClosedRange<UInt64> {
            let keys = (0..<Int.random(in: 0...4, using: &numbers)).map { _ in hashes[Int.random(in: 0..<hashes.count, using: &numbers)] }
            index.append(RecordEntry(sequence: sequence, requestHash: 1, payloadHash: 0, offset: 0, length: 0, kind: .callback), keys: keys.span)
            for key in Set(keys) { expected[key, default: []].insert(sequence, at: 0) }
        }
        for hash in hashes {
            var found: [RecordEntry] = []
            index.appendEntries(ofKey: hash, countMax: .max, to: &found)
            #expect(found.map(\.sequence) == expected[hash] ?? [])
        }
        var found: [RecordEntry] = []
        for _ in 0..<1_000 { index.appendEntries(ofKey: numbers.next(), countMax: .max, to: &found) }
        #expect(found.count <= 20)
    }

    @Test("of a key that very many records have as many of the newest are found as are wanted, each once", arguments: [[7], [7, 7]] as [[UInt64]])
    func longRun(keys: [UInt64]) {
        var index = SegmentIndex(first: 1)
        for sequence in 1...500 as ClosedRange<UInt64> {
            index.append(RecordEntry(sequence: sequence, requestHash: 1, payloadHash: 0, offset: 0, length: 0, kind: .callback), keys: keys.span)
        }
        for countMax in [1, 490, 500, 501] {
            var found: [RecordEntry] = []
            index.appendEntries(ofKey: 7, countMax: countMax, to: &found)
            #expect(found.map(\.sequence) == (1...500 as ClosedRange<UInt64>).reversed().prefix(countMax).map { $0 })
        }
    }

    @Test("a sequence, or the next there is, is found whether or not others are missing", arguments: [[], [3], [1], [9, 10, 11], [4, 7, 20]] as [[UInt64]])
    func sequences(missing: [UInt64]) {
        var index = SegmentIndex(first: 100)
        let there = (1...20).filter { !missing.contains($0) }.map { 99 + $0 }
        for sequence in there { index.append(RecordEntry(sequence: sequence, requestHash: 1, payloadHash: 0, offset: 0, length: 0, kind: .callback)) }
        for sequence in 95...125 as ClosedRange<UInt64> {
            #expect(index.firstIndex(atOrAbove: sequence) == there.firstIndex { $0 >= sequence } ?? there.count)
            #expect(index.firstIndex(above: sequence) == there.firstIndex { $0 > sequence })
        }
        #expect(SegmentIndex(first: 5).firstIndex(atOrAbove: 7) == 0)
    }

    @Test("without its newest entries it is what it was before they came", arguments: [0, 1, 4_000, 8_192, 9_999, 10_000])
    func shortened(kept: Int) {
        var numbers = SeededGenerator(seed: 12)
        // Few hashes for many records, some of which have one slot to begin at.
        let hashes = (0..<3_000).map { _ in numbers.next() } + (0..<40).map { UInt64($0) << 60 } + (0..<200).map { UInt64($0) << 44 }
        let entries = (0..<10_000).map { number in
            RecordEntry(
                sequence: UInt64(number + 1), requestHash: hashes[Int.random(in: 0..<hashes.count, using: &numbers)], payloadHash: 0,
                offset: UInt32(number), length: 0, kind: .callback)
        }
        func filled(_ count: Int) -> SegmentIndex {
            var index = SegmentIndex(first: 1)
            for entry in entries.prefix(count) { index.append(entry, keys: [entry.requestHash, ~entry.requestHash].span) }
            return index
        }
        var index = filled(entries.count)
        index.removeAll(from: kept)
        #expect(index.count == kept)
        // Also when it grows again.
        for (index, expected) in [(index, filled(kept)), (entries.dropFirst(kept).reduce(into: index) { $0.append($1, keys: [$1.requestHash, ~$1.requestHash].span) }, filled(entries.count))] {
            for hash in hashes {
                var (found, wanted): ([RecordEntry], [RecordEntry]) = ([], [])
                index.appendEntries(of: hash, to: &found)
                index.appendEntries(ofKey: ~hash, countMax: .max, to: &found)
                expected.appendEntries(of: hash, to: &wanted)
                expected.appendEntries(ofKey: ~hash, countMax: .max, to: &wanted)
                #expect(found == wanted)
            }
        }
    }
}
