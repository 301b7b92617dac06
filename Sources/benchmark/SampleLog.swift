// Logs of sample callbacks: a million records in a second or two.
//
// Promises: what stands there is what the server would have written for the known series' callbacks 1…count.
// Must not know: what the log is for.

import CallbackLog
import CrispCallback
import Platform

enum SampleLog {
    /// Writes the log in the directory at `path`. Returns its bytes.
    static func write(records count: Int, to path: String, segmentBytesMax: Int = LogFiles.segmentBytesMax) throws -> Int {
        let receivedAt = Timestamp(milliseconds: Clock.wallMilliseconds())
        var files = LogFiles(in: try SystemDirectory(creating: path), segmentBytesMax: segmentBytesMax)
        for number in 1...UInt64(count) {
            var record: [UInt8] = []
            let identifier = Sample.requestID(series: Sample.knownSeries, number: number)
            let decoded = try CallbackDecoder.decode(Sample.body(identifier).span, into: &record)
            try files.append(
                sequence: number, receivedAt: receivedAt, requestID: record.span.extracting(decoded.requestID),
                status: .sent, payload: record.span.extracting(decoded.payload))
        }
        try files.finish(receivedAt: receivedAt, durable: UInt64(count))
        return files.bytes
    }
}
