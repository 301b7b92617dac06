// The segments of a log, written one after the other straight in the format of a record, without the server.
//
// Promises: byte for byte what the server would have written for these callbacks, had each been a batch of its own
// (API.md §7): a segment ends where one more line would pass its size, the server's default, each line is proven by the one
// after it and the last by a checkpoint; so opening it copies and cuts nothing. No index files: those are derived.
// Must not know: what the callbacks say.

import CallbackLog
import Platform

struct LogFiles {
    /// The server's default.
    static let segmentBytesMax = 128 * 1_024 * 1_024
    private static let writeBytes = 4 * 1_024 * 1_024

    /// Of all segments.
    private(set) var bytes = 0
    private let directory: SystemDirectory
    private let segmentBytesMax: Int
    private var file: (any File)?
    /// Of the segment that is being written: what is in the file, and what is not yet.
    private var written = 0
    private var lines: [UInt8] = []

    init(in directory: SystemDirectory, segmentBytesMax: Int = LogFiles.segmentBytesMax) {
        self.directory = directory
        self.segmentBytesMax = segmentBytesMax
    }

    /// Sequences are to be dense. The first one given begins a segment.
    mutating func append(
        sequence: UInt64, receivedAt: Timestamp, requestID: Span<UInt8>, status: RecordedStatus, payload: Span<UInt8>
    ) throws {
        if file == nil { try begin(sequence) }
        let start = lines.count
        RecordFormat.appendCallback(
            sequence: sequence, receivedAt: receivedAt, requestID: requestID, status: status, payload: payload,
            durable: sequence - 1, to: &lines)
        if written + lines.count > segmentBytesMax {
            let line = Array(lines[start...])
            lines.removeSubrange(start...)
            try end()
            try begin(sequence)
            lines += line
        } else if lines.count >= Self.writeBytes {
            try write()
        }
    }

    /// Proves the last line, and ends the last segment.
    mutating func finish(receivedAt: Timestamp, durable: UInt64) throws {
        RecordFormat.appendCheckpoint(receivedAt: receivedAt, durable: durable, to: &lines)
        try end()
    }

    private mutating func begin(_ first: UInt64) throws {
        let number = String(first)
        file = try directory.create(String(repeating: "0", count: 20 - number.count) + number + ".jsonl")
        written = 0
    }

    private mutating func write() throws {
        var done = 0
        while let file, done < lines.count { done += try file.write(lines, from: done, at: Int64(written + done)) }
        written += done
        bytes += done
        lines.removeAll(keepingCapacity: true)
    }

    /// Onto the disk, so that writing it back does not disturb what is measured later.
    private mutating func end() throws {
        try write()
        try file?.synchronizeData()
        file = nil
    }
}
