// Logs of sample callbacks, written straight in the format of a segment: a million records in a second or two.
//
// Promises: what stands there is what the server would have written for the known series' callbacks 1…count, each
// line proven by the one after it and the last by a checkpoint (API.md §7); so opening it copies and cuts nothing.
// Must not know: what the log is for.

import CallbackLog
import CrispCallback
import Platform

enum SampleLog {
    /// The server's default.
    static let segmentBytesMax = 128 * 1_024 * 1_024
    private static let writeBytes = 4 * 1_024 * 1_024

    /// Writes the log in the directory at `path`. Returns its bytes.
    static func write(records count: Int, to path: String) throws -> Int {
        let directory = try SystemDirectory(creating: path)
        let receivedAt = Timestamp(milliseconds: Clock.wallMilliseconds())
        var segment = try Open(directory, first: 1)
        var total = 0
        for number in 1...UInt64(count) {
            if segment.bytes >= segmentBytesMax {
                total += try segment.end()
                segment = try Open(directory, first: number)
            }
            var record: [UInt8] = []
            let identifier = Sample.requestID(series: Sample.knownSeries, number: number)
            let decoded = try CallbackDecoder.decode(Sample.body(identifier).span, into: &record)
            RecordFormat.appendCallback(
                sequence: number, receivedAt: receivedAt, requestID: record.span.extracting(decoded.requestID),
                status: .sent, payload: record.span.extracting(decoded.payload), durable: number - 1,
                to: &segment.lines)
            if segment.lines.count >= writeBytes { try segment.write() }
        }
        RecordFormat.appendCheckpoint(receivedAt: receivedAt, durable: UInt64(count), to: &segment.lines)
        return total + (try segment.end())
    }

    private struct Open {
        let file: any File
        var lines: [UInt8] = []
        private var written = 0

        var bytes: Int { written + lines.count }

        init(_ directory: SystemDirectory, first: UInt64) throws {
            let number = String(first)
            file = try directory.create(String(repeating: "0", count: 20 - number.count) + number + ".jsonl")
        }

        mutating func write() throws {
            var done = 0
            while done < lines.count { done += try file.write(lines, from: done, at: Int64(written + done)) }
            written += done
            lines.removeAll(keepingCapacity: true)
        }

        /// Onto the disk, so that writing it back does not disturb what is measured later.
        mutating func end() throws -> Int {
            try write()
            try file.synchronizeData()
            return written
        }
    }
}
