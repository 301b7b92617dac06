// Retention: whole sealed segments go, oldest first, and everything that is called by their names.
//
// Promises: the newest segment never goes; what goes is a beginning of the log, so that its sequences stay dense. A
// segment goes from the readers' view first, then from the disk; what could not be removed then is removed by the
// next round, since it goes by the names that are there. With `log.retention.days`, the open segment is sealed by
// age, so that records that nobody adds to go as well.
// Must not know: what is in the segments.

import Platform

extension LogOptions {
    var hasRetention: Bool { retentionMilliseconds != nil || retentionBytesMax != nil }

    /// The open segment is sealed when its first record is so old: a tenth of the retention, at most daily.
    var sealAgeMilliseconds: Int64? { retentionMilliseconds.map { max($0 / 10, Self.dayMilliseconds) } }

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
    /// Removes what is to go. False where something could not be removed.
    func retain() -> Bool {
        guard options.hasRetention else { return true }
        if let age = options.sealAgeMilliseconds { seal(age) }
        do throws(SystemError) {
            let names = try directory.names()
            var removed = 0
            while let oldest = try oldestToGo() {
                guard try carryOver(oldest) else { return false }
                shared.published.withLock { $0.removeOldest() }
                shared.files.forget(.segment, of: oldest.first)
                shared.files.forget(.index, of: oldest.first)
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

    /// The oldest sealed segment, where it is too old or all are too much.
    private func oldestToGo() throws(SystemError) -> SealedSegment? {
        let (sealed, open) = shared.published.withLock { ($0.sealed, $0.open.file) }
        guard let oldest = sealed.first else { return nil }
        if let age = options.retentionMilliseconds, let latest = oldest.latest, time.wallMilliseconds() - latest.milliseconds > age {
            return oldest
        }
        guard let bytesMax = options.retentionBytesMax else { return nil }
        let bytes = try sealed.reduce(open.size()) { $0 + $1.byteCount + $1.indexBytes }
        return bytes > bytesMax ? oldest : nil
    }

    /// Removes the files of segments that are no longer the log's: oldest first, the segment before what is derived
    /// from it, so that a crash in between leaves a log without its beginning and never one with a hole.
    private func remove(_ names: [String]) throws(SystemError) {
        let beginning = shared.published.withLock { $0.sealed.first?.first ?? $0.open.first }
        let gone = names.compactMap { name in SegmentName.firstSequence(ofAny: name).map { (first: $0, name: name) } }
            .filter { $0.first < beginning }
            .sorted { ($0.first, SegmentName.firstSequence(of: $0.name) == nil ? 1 : 0) < ($1.first, SegmentName.firstSequence(of: $1.name) == nil ? 1 : 0) }
        for file in gone { try directory.remove(file.name) }
        if !gone.isEmpty { try directory.synchronize() }
    }
}
