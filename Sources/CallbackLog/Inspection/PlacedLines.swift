// Lines of a log that are read again by their place.
//
// Promises: what is given is the very record that was meant, sound; or nothing. Two buffers, so that two records can be
// looked at side by side. Must not know: why they are wanted.

import Platform

/// Where a record's line stands: its sequence says in which segment.
struct RecordPlace {
    let sequence: UInt64
    /// Of the line in the file, in bytes.
    let offset: Int64
    let byteCount: UInt32

    init(_ record: InspectedRecord, _ line: Span<UInt8>) {
        sequence = record.sequence
        offset = record.offset
        byteCount = UInt32(clamping: line.count)
    }
}

struct PlacedLines {
    enum Buffer { case first, second }

    private let log: LogInspection
    private(set) var first: [UInt8] = []
    private(set) var second: [UInt8] = []
    /// Of the record that was read last.
    private(set) var receivedAt = Timestamp(milliseconds: 0)
    /// The segment that was read last, and its file.
    private var open: (first: UInt64, file: any File)?

    init(_ log: LogInspection) { self.log = log }

    /// The payload or members of the record at `place`, in the named buffer; nil where they cannot be read.
    mutating func members(at place: RecordPlace, _ buffer: Buffer) -> Range<Int>? {
        guard let file = file(of: place.sequence) else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(place.byteCount))
        guard (try? file.read(at: place.offset, count: bytes.count, into: &bytes, from: 0)) == bytes.count,
            let line = ParsedLine(bytes.span), line.sequence == place.sequence
        else { return nil }
        receivedAt = line.receivedAt
        switch buffer {
        case .first: first = bytes
        case .second: second = bytes
        }
        return line.payload
    }

    private mutating func file(of sequence: UInt64) -> (any File)? {
        guard let segment = log.segments.last(where: { $0.first <= sequence }) else { return nil }
        if let open, open.first == segment.first { return open.file }
        guard let file = try? LogInspection.open(segment.name, in: log.directory) else { return nil }
        open = (segment.first, file)
        return file
    }
}
