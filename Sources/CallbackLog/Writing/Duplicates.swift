// What the durable log already has of a request: is a callback a retry, what does it follow, is there room for one more?
//
// Promises: a retry is one whose payload is the same byte for byte; a hash only finds it. What cannot be read, or is
// in a segment whose index is being made, cannot be shown to be the same: it is stored again rather than lost. A
// request that is full costs one read, not a thousand.
// Must not know: the batch, the disk.

import Platform

/// State of the writer queue.
struct Duplicates {
    enum Decision {
        case duplicate(sequence: UInt64)
        case tooManyRecords
        /// `newest` is the request's newest record, `announcement` the one that awaits this callback: of what is not
        /// among `unread`.
        case fresh(newest: UInt64?, announcement: UInt64?, unread: Unread)
    }

    /// Requests that are known to be full. When there are more, all are forgotten.
    private static let fullMax = 1_024

    private let shared: Shared
    private let observe: @Sendable (LogNotice) -> Void
    private var reader: RecordReader
    /// By hash: how many records have it, where all are of one request.
    private var full: [UInt64: Int] = [:]

    init(shared: Shared, observe: @escaping @Sendable (LogNotice) -> Void) {
        self.shared = shared
        self.observe = observe
        reader = RecordReader(disk: shared.writerDisk)
    }

    /// Decides about `submission`, of whose request `heldCount` records are to come before it.
    mutating func decide(_ submission: Submission, requestHash: UInt64, payloadHash: UInt64, heldCount: Int) -> Decision {
        let identifier = submission.record.span.extracting(submission.requestID)
        let found = shared.candidates(of: requestHash, using: &reader.pages)
        let candidates = found.records
        for candidate in candidates where candidate.entry.payloadHash == payloadHash && candidate.entry.kind == .callback {
            do throws(RecordReadFailure) {
                let line = try reader.read(candidate.entry, in: candidate.segment)
                if line.names(identifier, in: reader.bytes.span), reader.bytes[line.payload] == submission.record[submission.payload] {
                    return .duplicate(sequence: candidate.entry.sequence)
                }
            } catch {
                observe(.unreadable(error))
                shared.suspect(error)
            }
        }
        // Only where it could matter is it worth reading whose records they are.
        if heldCount + candidates.count >= CallbackLog.recordsPerRequestMax,
            heldCount + count(of: identifier, among: candidates, requestHash) >= CallbackLog.recordsPerRequestMax
        {
            return .tooManyRecords
        }
        return candidates.isEmpty ? .fresh(newest: nil, announcement: nil, unread: found.unread) : followed(identifier, among: found)
    }

    /// The newest record of this request, and its newest announcement where no callback stands behind that.
    private mutating func followed(_ identifier: Span<UInt8>, among found: Candidates) -> Decision {
        var newest: UInt64?
        var unread = found.unread
        for candidate in found.records {
            guard let line = try? reader.read(candidate.entry, in: candidate.segment) else {
                unread.records.insert(candidate.sequence)
                continue
            }
            guard line.names(identifier, in: reader.bytes.span) else { continue }
            newest = newest ?? candidate.sequence
            if candidate.kind == .announcement { return .fresh(newest: newest, announcement: candidate.sequence, unread: unread) }
            if candidate.kind == .callback { break }
        }
        return .fresh(newest: newest, announcement: nil, unread: unread)
    }

    /// All that is known of the request of `submission`.
    mutating func history(of submission: Submission, requestHash: UInt64) -> KnownHistory {
        let identifier = submission.record.span.extracting(submission.requestID)
        return shared.history(of: identifier, requestHash, using: &reader)
    }

    /// How many of `candidates` are of this request. What cannot be read counts: it is bounded, whosever it is.
    private mutating func count(of identifier: Span<UInt8>, among candidates: [RecordLocation], _ requestHash: UInt64) -> Int {
        if let newest = candidates.first, full[requestHash] == candidates.count,
            let line = try? reader.read(newest.entry, in: newest.segment), line.names(identifier, in: reader.bytes.span)
        {
            return candidates.count
        }
        var count = 0
        for candidate in candidates {
            if let line = try? reader.read(candidate.entry, in: candidate.segment), !line.names(identifier, in: reader.bytes.span) { continue }
            count += 1
        }
        if count == candidates.count {
            if full.count >= Self.fullMax { full.removeAll(keepingCapacity: true) }
            full[requestHash] = count
        }
        return count
    }
}

/// What is known of a request.
struct KnownHistory {
    var history = RequestHistory()
    /// What is left out of it, whosever it is.
    var unread: Unread
    /// False where some of that may be read later; damage says nothing any more.
    var isWhole: Bool
}

extension Shared {
    /// What the durable records of a request say together.
    func history(of identifier: Span<UInt8>, _ requestHash: UInt64, using reader: inout RecordReader) -> KnownHistory {
        let candidates = candidates(of: requestHash, using: &reader.pages)
        var known = KnownHistory(unread: candidates.unread, isWhole: candidates.isWhole)
        for candidate in candidates.records.reversed() {
            do throws(RecordReadFailure) {
                let line = try reader.read(candidate.entry, in: candidate.segment)
                guard line.names(identifier, in: reader.bytes.span) else { continue }
                known.history.add(
                    line.kind, sequence: candidate.sequence, receivedAt: line.receivedAt, members: reader.bytes.span.extracting(line.payload))
            } catch {
                suspect(error)
                known.unread.records.insert(candidate.sequence)
                if case .damaged = error { continue }
                known.isWhole = false
            }
        }
        return known
    }

    /// A record could not be read back: what is damaged is read again.
    func suspect(_ failure: RecordReadFailure) {
        if case .damaged(let segment, _) = failure, let first = SegmentName.firstSequence(of: segment) { suspect(first) }
    }
}
