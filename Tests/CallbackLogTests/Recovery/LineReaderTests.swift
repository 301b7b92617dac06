// The lines of a file: whole, in pieces between NUL bytes, or without an end.
//
// Promises: what is found is what a second reading finds, which takes the file apart by line feeds and then by NUL bytes.
// Must not know: what is in a line.

import Platform
import TestSupport
import Testing

@testable import CallbackLog

@Suite struct LineReaderTests {
    private struct Found: Equatable {
        let text: [UInt8]
        let offset: Int64
        let isWhole: Bool
    }

    private func read(_ bytes: [UInt8]) throws -> [Found] {
        var reader = LineReader(file: FixedFile(bytes), size: Int64(bytes.count))
        var found: [Found] = []
        while let line = try reader.next() { found.append(Found(text: Array(reader.bytes[line.range]), offset: line.offset, isWhole: line.isWhole)) }
        return found
    }

    private func reference(_ bytes: [UInt8]) -> [Found] {
        var found: [Found] = []
        for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
            let pieces = line.split(separator: 0)
            let hasEnd = line.endIndex < bytes.count
            for (number, piece) in pieces.enumerated() {
                found.append(Found(text: Array(piece), offset: Int64(piece.startIndex), isWhole: hasEnd && number == pieces.count - 1))
            }
        }
        return found
    }

    @Test("text, NUL bytes and line feeds in any order")
    func anyOrder() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<20_000 {
            let bytes: [UInt8] = (0..<Int.random(in: 0...12, using: &generator)).map { _ in [0x61, 0x62, 0, 0x0A].randomElement(using: &generator) ?? 0 }
            let found = try read(bytes)
            guard found != reference(bytes) else { continue }
            Issue.record("\(bytes): \(found)")
            return
        }
    }

    @Test("also where what is read at once ends within", arguments: [UInt64](1...6))
    func chunks(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var bytes: [UInt8] = []
        while bytes.count < 3 * SegmentScan.chunkBytes {
            let length = [1, 300, 5_000, 700_000].randomElement(using: &generator) ?? 1
            let byte: UInt8 = [0x61, 0x62, 0, 0x0A].randomElement(using: &generator) ?? 0
            bytes += [UInt8](repeating: byte, count: byte == 0x0A ? 1 : length)
        }
        #expect(try read(bytes) == reference(bytes))
    }

    @Test("a file full of NUL bytes is read to its end, which takes minutes where bytes are looked at again")
    func alternating() throws {
        let bytes = (0..<3 * SegmentScan.chunkBytes).map { UInt8($0 & 1) }
        var reader = LineReader(file: FixedFile(bytes), size: Int64(bytes.count))
        var count = 0
        while try reader.next() != nil { count += 1 }
        #expect(count == bytes.count / 2)
        // Behind each piece all that is left is padding.
        let padded = [UInt8](repeating: 0x61, count: 1) + [UInt8](repeating: 0, count: 2 * SegmentScan.chunkBytes) + [0x0A]
        #expect(try read(padded) == [Found(text: [0x61], offset: 0, isWhole: true)])
    }
}
