// The callbacks in what recovery cut off and kept beside the log (….torn): sound lines that nobody was told of.
//
// Promises: only sound lines are given, each once for each time it stands there; a file is read in pieces, and a line is
// bounded. Only reads. Must not know: whether the log has them already.

import Platform

/// A callback as it is appended.
public struct TornCallback: Sendable {
    /// The bytes that the ranges point into.
    public let record: [UInt8]
    /// Of its request_id, unescaped.
    public let requestID: Range<Int>
    /// Of its payload, as it came.
    public let payload: Range<Int>
    /// As decoded on arrival.
    public let status: RecordedStatus

    /// All of them in the directory at `path`, in the order of the log, and the names of the files they stand in.
    public static func all(inLogAt path: String) throws(SystemError) -> (callbacks: [TornCallback], files: [String]) {
        let directory = try SystemDirectory(reading: path)
        var callbacks: [TornCallback] = []
        var files: [String] = []
        for name in try directory.names().filter(SegmentName.isTorn).sorted() {
            files.append(name)
            try read(try directory.open(name), into: &callbacks)
        }
        return (callbacks, files)
    }

    private static func read(_ file: any File, into callbacks: inout [TornCallback]) throws(SystemError) {
        var lines = LineReader(file: file, size: try file.size())
        // The last one may have no line feed: it was cut somewhere, and is sound all the same.
        while let found = try lines.next() {
            let line = lines.bytes.span.extracting(found.range)
            guard line.count <= RecordFormat.lineBytesMax, let parsed = ParsedLine(line), parsed.kind == .callback, let status = parsed.status else { continue }
            var record: [UInt8] = []
            parsed.appendRequestID(of: line, to: &record)
            let requestID = 0..<record.count
            record.append(line.extracting(parsed.payload))
            callbacks.append(TornCallback(record: record, requestID: requestID, payload: requestID.upperBound..<record.count, status: status))
        }
    }
}
