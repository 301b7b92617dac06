// Retention: whole sealed segments go, oldest first, and everything that is called by their names.
//
// Promises: the newest segment never goes; what goes is a beginning of the log, so that its sequences stay dense. A
// segment goes from the readers' view first, then from the disk; what could not be removed then is removed by the
// next round, since it goes by the names that are there. With `log.retention.days`, the open segment is sealed by
// age, so that records that nobody adds to go as well.
// What has to stay of a segment is recorded again first (CarryOver.swift), and what was overdue there falls due again; the file
// that says it is overdue goes before its record does. Must not know: what a record says.

import Platform

extension LogOptions {
    var hasRetention: Bool { retentionMilliseconds != nil || retentionBytesMax != nil }

    /// The open segment is sealed when its first record is so old: a tenth of the retention, at most daily.
    var sealAgeMilliseconds: Int64? { retentionMilliseconds.map { max($0 / 10, Self.dayMilliseconds) } }

    /// The unit of `log.retention.days`.
    public static let dayMilliseconds: Int64 = 86_400_000
    /// With a bound on the log's size its segments are at most a quarter of it, so that it can be kept.
    static let segmentsInRetention: Int64 = 4

    /// What the open segment may grow to.
    var segmentBytesLimit: Int64 {
        let wanted = min(segmentBytesMax, Writer.segmentBytesCeiling)
        return retentionBytesMax.map { min(wanted, max($0 / Self.segmentsInRetention, 1)) } ?? wanted
    }
}

extension Upkeep {
    private static let keepsTooMuch = """
        announcements that are open, or whose callbacks stay, take more than log.retention.bytes-max; raise it, or announce \
        with a shorter overdue_after: what is overdue and unanswered stays, too
        """

    private static let cannotCarryOver = "announcements in the oldest segment must be recorded again before it goes, and the log cannot be written"

    /// How often a segment is gone through before it goes, though records of requests that are announced there come meanwhile:
    /// once as a rule, twice where something of it is recorded again.
    private static let looksMax = 8

    /// Removes what is to go. False where something could not be removed.
    func retain() -> Bool {
        guard options.hasRetention, time.monotonicMilliseconds() >= retentionRestsUntil else { return true }
        if let age = options.sealAgeMilliseconds { seal(age) }
        do throws(SystemError) {
            let names = try directory.names()
            var removed = 0
            var looks = 0
            // What is recorded again must not be gone through again: it may be more than the bound allows.
            let end = shared.published.withLock { $0.open.first }
            while try isOldestToGo(), let oldest = shared.published.withLock({ $0.sealed.first }) {
                guard oldest.first < end else {
                    retentionRestsUntil = time.monotonicMilliseconds() + Int64(Self.retentionMilliseconds)
                    observe(.retentionFailed(Self.keepsTooMuch))
                    break
                }
                let position = shared.published.withLock { $0.durable }
                guard let requests = try carryOver(oldest) else {
                    if shared.isClosing.load(ordering: .relaxed) { return false }
                    observe(.retentionFailed(Self.cannotCarryOver))
                    return false
                }
                let overdue = try overdueRequests(in: oldest)
                looks += 1
                let isLast = looks >= Self.looksMax
                // Not while the writer, or the keeper of expectations, concludes from its records what is expected: that would be
                // published once they are gone. So it is before, and falls due again, or without them.
                var isGone = false
                withWriter { isGone = shared.published.withLock { $0.removeOldest(unlessAnyOf: isLast ? [] : requests, above: position) } }
                // What was let go, or recorded again, may be otherwise by now.
                if !isGone { continue }
                looks = 0
                expectAgain(overdue)
                if !overdue.isEmpty { try forgetExpectationFile() }
                removed += 1
            }
            try remove(names)
            if removed > 0 { observe(.retired(segments: removed)) }
            return true
        } catch {
            observe(.retentionFailed("\(error)"))
            return false
        }
    }

    /// It says that they are overdue, and once the records are gone that say so nobody would find them so again after a crash:
    /// without the file a start reads what is there.
    private func forgetExpectationFile() throws(SystemError) {
        try shared.expectationFile.withLock { _ throws(SystemError) in
            guard try directory.names().contains(ExpectationFile.name) else { return }
            try directory.remove(ExpectationFile.name)
            try directory.synchronize()
        }
    }

    /// Whether the oldest sealed segment is too old, or all are too much.
    private func isOldestToGo() throws(SystemError) -> Bool {
        let (sealed, open) = shared.published.withLock { ($0.sealed, $0.open.file) }
        guard !sealed.isEmpty else { return false }
        // Where none of its records can say when it was received, those behind it can: times never decrease.
        let latest = sealed.lazy.compactMap(\.latest).first
        if let age = options.retentionMilliseconds, let latest, time.wallMilliseconds() - latest.milliseconds > age { return true }
        guard let bytesMax = options.retentionBytesMax else { return false }
        let bytes = try sealed.reduce(open.size()) { $0 + $1.byteCount + $1.indexBytes }
        return bytes > bytesMax
    }

    /// Removes the files of segments that are no longer the log's: oldest first, the segment before what is derived
    /// from it, so that a crash in between leaves a log without its beginning and never one with a hole.
    private func remove(_ names: [String]) throws(SystemError) {
        let beginning = shared.published.withLock(\.firstSequence)
        let gone = names.compactMap { name in SegmentName.firstSequence(ofAny: name).map { (first: $0, name: name) } }
            .filter { $0.first < beginning }
            .sorted { ($0.first, SegmentName.firstSequence(of: $0.name) == nil ? 1 : 0) < ($1.first, SegmentName.firstSequence(of: $1.name) == nil ? 1 : 0) }
        for file in gone {
            try directory.remove(file.name)
            // Not before: a look-up that began earlier would open it again, and its bytes would stay taken.
            shared.files.forget(file.first)
            // One segment after the other: of removals that are not synced each may survive a power loss or not, and
            // that would be a hole.
            if SegmentName.firstSequence(of: file.name) != nil { try directory.synchronize() }
        }
        if !gone.isEmpty { try directory.synchronize() }
    }
}
