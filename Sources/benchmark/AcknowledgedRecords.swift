// What was acknowledged, looked for in the log afterwards: nothing that was answered with 200 may be missing.
//
// Promises: reads the segments as files, line by line, with nothing of the server's own reading; a callback is there when
// a record has its id and exactly the sequence that the answer named. The server must have stopped.
// Must not know: how the callbacks were sent.

import Foundation
import Platform

struct AcknowledgedRecords {
    private static let start = Array(#"{"sequence":"#.utf8)
    /// What stands before an id, and how far into a line it is looked for.
    private static let idLabel = Array(#""request_id":""#.utf8)
    private static let idOffsetMax = 256

    /// By series, then by number: the sequence, 0 where there was no 200.
    private var sequences: [UInt32: [UInt64]] = [:]

    /// Callbacks that were acknowledged.
    private(set) var count = 0
    var loads: Int { sequences.count }

    mutating func add(_ tally: LoadTally, series: UInt32) {
        sequences[series] = tally.sequences
        count += tally.sequences.count { $0 != 0 }
    }

    /// Records of these series in the log at `directory`, and how many acknowledged callbacks have none.
    func compare(with directory: String) throws -> (records: Int, missing: Int) {
        var open = sequences
        var records = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        where name.hasSuffix(".jsonl") {
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: directory + "/" + name)))
            var line = 0
            while let end = ByteSearch.firstIndex(of: 0x0A, in: bytes.span, from: line) {
                if let (sequence, series, number) = Self.record(bytes, from: line, to: end),
                    let known = open[series], number < UInt64(known.count)
                {
                    records += 1
                    if known[Int(number)] == sequence { open[series]?[Int(number)] = 0 }
                }
                line = end + 1
            }
        }
        return (records, open.values.reduce(0) { $0 + $1.count { $0 != 0 } })
    }

    /// nil for a line that is no record of a sample callback.
    private static func record(
        _ bytes: [UInt8], from start: Int, to end: Int
    ) -> (sequence: UInt64, series: UInt32, number: UInt64)? {
        guard end - start > idOffsetMax, Self.start.indices.allSatisfy({ bytes[start + $0] == Self.start[$0] }) else { return nil }
        let sequence = AnswerText.number(after: AnswerText.sequence, bytes, from: start, to: end)
        for place in start..<(start + idOffsetMax - 64)
        where bytes[place] == idLabel[0] && idLabel.indices.allSatisfy({ bytes[place + $0] == idLabel[$0] }) {
            let id = place + idLabel.count
            guard let series = hexadecimal(bytes, id, 8), let number = hexadecimal(bytes, id + 24, 12) else { return nil }
            return (sequence, UInt32(truncatingIfNeeded: series), number)
        }
        return nil
    }

    private static func hexadecimal(_ bytes: [UInt8], _ start: Int, _ digits: Int) -> UInt64? {
        var number: UInt64 = 0
        for byte in bytes[start..<(start + digits)] {
            guard let digit = UnicodeScalar(byte).properties.isASCIIHexDigit ? Character(UnicodeScalar(byte)).hexDigitValue : nil
            else { return nil }
            number = number << 4 | UInt64(digit)
        }
        return number
    }
}
