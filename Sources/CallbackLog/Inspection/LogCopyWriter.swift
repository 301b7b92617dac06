// The segments of a copy, written from the oldest record to the newest.
//
// Promises: sequences are dense: before a record stands every one below it, lost ones as records that say so. Each
// piece is synchronized as it is written. Must not know: where records come from, what became of the others.

import Platform

struct LogCopyWriter {
    /// More than the line of a lost record takes.
    static let lostBytesMax: Int64 = 192
    /// What a copy takes beside its records, at most.
    static let spareBytes: Int64 = 2 << 20
    private static let pieceBytes = 1 << 20
    /// A segment that only lost records fill ends here.
    private static let segmentBytesMax: Int64 = 128 << 20

    private(set) var copy = LogCopy()
    private let directory: any Directory
    private var file: (any File)?
    /// Of the source, the segment whose records are being written.
    private var source = ""
    private var position: Int64 = 0
    private var lines: [UInt8] = []
    /// The sequence of the next record.
    private var next: UInt64 = 0
    /// The highest that a line has said; it never falls from line to line.
    private var durable: UInt64 = 0
    private var latest = Timestamp(milliseconds: 0)

    init(_ directory: any Directory) { self.directory = directory }

    mutating func append(_ record: InspectedRecord, _ bytes: Span<UInt8>) throws(SystemError) {
        if record.segment != source {
            let first = SegmentName.firstSequence(of: record.segment) ?? record.sequence
            if file == nil {
                // The name of a log's first segment says that everything below was once durable.
                durable = first - 1
                latest = record.receivedAt
            } else {
                try fill(to: first)
            }
            source = record.segment
            try begin(first)
        }
        try fill(to: record.sequence)
        lines.append(bytes)
        lines.append(0x0A)
        copy.records += 1
        next = record.sequence + 1
        durable = max(durable, record.line.durable)
        latest = max(latest, record.receivedAt)
        try flush(atLeast: Self.pieceBytes)
    }

    /// Ends the log: `last` is the highest sequence that was given.
    mutating func finish(at last: UInt64) throws(SystemError) {
        if file == nil { try begin(last + 1) }
        try fill(to: last + 1)
        RecordFormat.appendCheckpoint(receivedAt: latest, durable: next - 1, to: &lines)
        try flush(atLeast: 0)
    }

    private mutating func begin(_ first: UInt64) throws(SystemError) {
        try flush(atLeast: 0)
        file = try directory.create(SegmentName.name(first: first))
        position = 0
        next = first
        copy.segments += 1
    }

    /// Says of every record below `sequence` that is not there that it is lost.
    private mutating func fill(to sequence: UInt64) throws(SystemError) {
        while next < sequence {
            if position + Int64(lines.count) >= Self.segmentBytesMax { try begin(next) }
            RecordFormat.appendLost(sequence: next, receivedAt: latest, durable: durable, to: &lines)
            copy.lost += 1
            next += 1
            try flush(atLeast: Self.pieceBytes)
        }
    }

    private mutating func flush(atLeast bytes: Int) throws(SystemError) {
        guard let file, lines.count >= bytes, !lines.isEmpty else { return }
        position += try file.writeWhole(lines, at: position)
        lines.removeAll(keepingCapacity: true)
        try file.synchronizeData()
    }
}

extension RecordFormat {
    /// Appends the line that stands where a record was lost, line feed included.
    static func appendLost(sequence: UInt64, receivedAt: Timestamp, durable: UInt64, to output: inout [UInt8]) {
        let start = output.count
        var requestID = Array("lost:".utf8)
        requestID.append(decimal: sequence)
        appendHead(sequence: sequence, receivedAt: receivedAt, kind: "lost", requestID: requestID.span, to: &output)
        finish(from: start, durable: durable, to: &output)
    }
}
