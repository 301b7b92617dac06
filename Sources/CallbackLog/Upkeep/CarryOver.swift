// What must stay when its segment goes: announcements, recorded again first (DESIGN.md §5).
//
//     the newest announcement of a request, in the segment that goes        and its callbacks are
//     recorded again                                                        awaited, or in a segment that stays
//     goes                                                                  all in the segment that goes, or gone before it
//
// What is recorded again says when its request was announced first, since the time runs from there: also where a newer
// announcement stays that cannot say so. A request that was overdue is recorded as such again as its overdue record goes,
// a moment later and by the timer (ExpectationKeeper.swift), since its time is up.
// Promises: the segment goes only once these are durable; a crash in between leaves both, and the newer one counts.
// Must not know: what an announcement is about.

import Platform

extension Upkeep {
    /// Records handed to the writer at once.
    private static let carriedAtOnceMax = 1_000

    /// Records what must stay of `segment` again, and returns the hashes of all requests that are announced there. Nil where that
    /// is not durable now, or the log is being closed.
    func carryOver(_ segment: SealedSegment) throws(SystemError) -> Set<UInt64>? {
        var requests: Set<UInt64> = []
        var reader = RecordReader()
        var carried: [Submission] = []
        for entry in try entries(.announcement, in: segment, using: &reader) {
            if shared.isClosing.load(ordering: .relaxed) { return nil }
            let file = try shared.files.segment(segment.first)
            guard let line = try readable(entry, in: file, using: &reader) else { continue }
            var identifier: [UInt8] = []
            line.appendRequestID(of: reader.bytes.span, to: &identifier)
            let members = Array(reader.bytes[line.payload])
            requests.insert(hash.hash(identifier.span))
            guard let again = try recordedAgain(members, of: identifier.span, announcedBy: entry.sequence, in: segment, using: &reader) else { continue }
            let record = identifier + again
            carried.append(
                Submission(announcement: record, requestID: 0..<identifier.count, members: identifier.count..<record.count, recipient: 0, ticket: 0))
            if carried.count == Self.carriedAtOnceMax {
                guard append(carried) else { return nil }
                carried = []
            }
        }
        return carried.isEmpty || append(carried) ? requests : nil
    }

    /// Nil where it is damaged or on a bad place of the disk, and so says nothing any more: then it goes, or nothing ever
    /// would. Throws what may be otherwise in a moment, such as that there are no descriptors.
    private func readable(_ entry: RecordEntry, in file: any File, using reader: inout RecordReader) throws(SystemError) -> ParsedLine? {
        do throws(RecordReadFailure) {
            return try reader.read(entry, in: file)
        } catch {
            if case .system(let failure) = error, failure.code != SystemError.inputOutput { throw failure }
            return nil
        }
    }

    /// The requests that have an overdue record in a segment that goes.
    func overdueRequests(in segment: SealedSegment) throws(SystemError) -> [[UInt8]] {
        var reader = RecordReader()
        var requests: [[UInt8]] = []
        for entry in try entries(.overdue, in: segment, using: &reader) {
            guard let line = try readable(entry, in: shared.files.segment(segment.first), using: &reader) else { continue }
            var requestID: [UInt8] = []
            line.appendRequestID(of: reader.bytes.span, to: &requestID)
            requests.append(requestID)
        }
        return requests
    }

    /// Their overdue records are gone: what is still expected of them falls due again. Where a callback comes meanwhile
    /// the writer finds it, and nothing is recorded.
    func expectAgain(_ requests: [[UInt8]]) {
        var reader = RecordReader()
        for requestID in requests {
            let requestHash = hash.hash(requestID.span)
            let known = shared.history(of: requestID.span, requestHash, using: &reader)
            shared.published.withLock { published in
                for record in known.unread.records { published.expectations.doubt(record) }
                if let segments = known.unread.segments { published.expectations.doubt(in: segments) }
                if let expectation = known.history.expectation { published.expectations.doubt(expectation.announcement) }
            }
        }
        if !requests.isEmpty { shared.wakeExpectations() }
    }

    /// The records of this kind.
    private func entries(_ kind: RecordKind, in segment: SealedSegment, using reader: inout RecordReader) throws(SystemError) -> [RecordEntry] {
        switch segment.index {
        // What is in it nobody knows yet.
        case .missing: throw SystemError(operation: "read", path: SegmentName.index(first: segment.first), code: SystemError.missing)
        case .inMemory(let index): return (0..<index.count).map { (place: Int) in index[place] }.filter { $0.kind == kind }
        case .onDisk(let index):
            guard index.summary.counts.kinds[RecordCounts.slot(kind.rawValue)] > 0 else { return [] }
            var entries: [RecordEntry] = []
            for ordinal in 0..<index.summary.recordCount {
                do throws(IndexFault) {
                    let file = try shared.files.file(of: index)
                    let record = try index.record(ordinal, in: file, using: &reader.pages)
                    if record.kind == kind { entries.append(record.entry(requestHash: 0)) }
                } catch {
                    shared.suspect(segment.first)
                    throw SystemError(operation: "read", path: SegmentName.index(first: segment.first), code: SystemError.inputOutput)
                }
            }
            return entries
        }
    }

    /// What is to be recorded again of this request, where `sequence` is its newest announcement in the segment that
    /// goes; nil where nothing is. Throws where that cannot be told, since the segment's index does not lead to it.
    private func recordedAgain(
        _ members: [UInt8], of identifier: Span<UInt8>, announcedBy sequence: UInt64, in segment: SealedSegment,
        using reader: inout RecordReader
    ) throws(SystemError) -> [UInt8]? {
        guard AnnouncementMembers(members.span) != nil else {
            return stays(identifier, announcedBy: sequence, in: segment, using: &reader) ? members : nil
        }
        let known = shared.history(of: identifier, hash.hash(identifier), using: &reader)
        let (history, isWhole) = (known.history, known.isWhole)
        // Its own announcement is not among them: what is derived must not decide that it goes (invariant 6). Asking has had the
        // index read again.
        if known.unread.segments?.contains(segment.first) ?? false {
            throw SystemError(operation: "read", path: SegmentName.index(first: segment.first), code: SystemError.inputOutput)
        }
        guard history.announcements.last(where: { $0.sequence < segment.successor })?.sequence == sequence, let announcedAt = history.announcedAt
        else { return nil }
        // Rather once too often than never.
        if isWhole, let callback = history.newestCallback, callback < segment.successor { return nil }
        // The callback came before it was announced, and went with the segment before.
        if isWhole, !history.hasCallback, shared.published.withLock({ $0.expectations.standing(of: history.announcement ?? sequence) }) == .notOpen { return nil }
        let staying = history.announcements.filter { $0.sequence >= segment.successor }
        if staying.contains(where: { $0.since == announcedAt }) { return nil }
        var again = history.content
        AnnouncementMembers.append(announcedAt: announcedAt, to: &again)
        return again
    }

    /// The same of an announcement that cannot be read: whether it is its request's newest, and the request not wholly of what goes.
    private func stays(
        _ identifier: Span<UInt8>, announcedBy sequence: UInt64, in segment: SealedSegment, using reader: inout RecordReader
    ) -> Bool {
        let candidates = shared.candidates(of: hash.hash(identifier), using: &reader.pages)
        // Rather once too often than never.
        guard candidates.isWhole else { return true }
        var hasCallback = false
        for candidate in candidates.records {
            guard let line = try? reader.read(candidate.entry, in: candidate.segment), line.names(identifier, in: reader.bytes.span) else { continue }
            if candidate.entry.kind == .announcement, candidate.entry.sequence > sequence { return false }
            guard candidate.entry.kind == .callback else { continue }
            if candidate.entry.sequence >= segment.successor { return true }
            hasCallback = true
        }
        return !hasCallback
    }
}
