// A segment read through, and its index made meanwhile: a start waits for both, and each takes about as long.
//
//     this thread   read, check each line (SegmentScan), hash ─▶ payloads, a batch of them at a time ─┐  at most `batchesMax` wait
//     a queue       ask what the record says of itself, append it to the index ◀───────────────────────────┘
//
// Promises: what comes of it is what one thread would make of it, line after line; memory beside the index is a few batches.
// Must not know: what a sound line is, what a payload means.

import Dispatch
import Platform

extension SegmentScan {
    /// Reads a segment, and makes its index in memory.
    static func indexed(
        _ file: any File, first: UInt64, successor: UInt64?, hash: KeyedHash,
        describe: @escaping @Sendable (RecordKind, Span<UInt8>, inout RecordDescription) -> Void, state: inout ScanState
    ) throws(SystemError) -> (SegmentScan, SegmentIndex) {
        let indexing = Confined(Indexing(first: first, hash: hash, describe: describe), to: DispatchQueue(label: "log.indexing"))
        let room = DispatchSemaphore(value: RecordBatch.batchesMax)
        var batch = RecordBatch()
        var identifier: [UInt8] = []
        let scan = try SegmentScan(file, first: first, successor: successor, state: &state) { line, bytes, offset in
            guard let entry = RecordEntry(line, bytes, at: offset, first: first, hash: hash, identifier: &identifier) else { return }
            batch.append(entry, payload: bytes.extracting(line.payload))
            guard batch.isFull else { return }
            let full = batch
            batch = RecordBatch()
            room.wait()
            indexing.queue.async {
                indexing.withValue { $0.take(full) }
                room.signal()
            }
        }
        let rest = batch
        return (scan, indexing.queue.sync { indexing.withValue { $0.finish(rest) } })
    }
}

/// Records of a segment, with their payloads copied from where they were read.
private struct RecordBatch: Sendable {
    /// Little enough that what one thread has written the other finds in a cache.
    static let batchBytes = 256 * 1_024
    /// Some records have no payload.
    static let batchRecords = 4_096
    static let batchesMax = 4

    private(set) var bytes: [UInt8] = []
    /// Each with where its payload ends in `bytes`.
    private(set) var records: [(entry: RecordEntry, end: Int)] = []

    var isFull: Bool { bytes.count >= Self.batchBytes || records.count >= Self.batchRecords }

    mutating func append(_ entry: RecordEntry, payload: Span<UInt8>) {
        bytes.append(payload)
        records.append((entry, bytes.count))
    }
}

/// State of one queue.
private final class Indexing {
    private let describe: @Sendable (RecordKind, Span<UInt8>, inout RecordDescription) -> Void
    private var index: SegmentIndex
    private var description: RecordDescription

    init(first: UInt64, hash: KeyedHash, describe: @escaping @Sendable (RecordKind, Span<UInt8>, inout RecordDescription) -> Void) {
        self.describe = describe
        index = SegmentIndex(first: first)
        description = RecordDescription(hash: hash)
    }

    func take(_ batch: RecordBatch) {
        var start = 0
        for (entry, end) in batch.records {
            let state = description.take(entry.kind, batch.bytes.span.extracting(start..<end), from: describe)
            index.append(entry.described(as: state), keys: description.hashes.span)
            start = end
        }
    }

    /// With the last ones; nothing of the index is kept here, so that it is nobody else's.
    func finish(_ batch: RecordBatch) -> SegmentIndex {
        take(batch)
        var finished = SegmentIndex(first: index.first)
        swap(&finished, &index)
        return finished
    }
}
