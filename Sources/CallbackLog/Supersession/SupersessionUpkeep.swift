// What upkeep does for the supersessions: at a start they are taken from their file and followed up, or found anew, and
// the file is written again after each seal and at the end.
//
//     file                              records above it                   done
//     valid                             indexed in memory                  followed up
//     valid, missing or of no use       in index files                     found anew, from all index files
//     whatever                          in a segment without an index      nothing, until it has one
//
// Promises: at a start what is little is done before serving; the rest beside it. A file that cannot be written is
// tried again after a minute; nothing depends on it (invariant 6).
// Must not know: how they are found (SupersessionSearch.swift).

import Platform

struct SupersessionKeeper: Sendable {
    /// Records that are followed up before serving: some ten milliseconds.
    static let recordsAtStartMax = 8_192

    let shared: Shared
    let directory: any Directory
    let logID: (UInt64, UInt64)

    /// What is little is done at once.
    func start() { _ = restore(recordsMax: Self.recordsAtStartMax, isCancelled: { false }, between: {}) }

    /// Finds out what is not known. False where it still is not, or would take following more than `recordsMax` records,
    /// or reading index files where that is not nil.
    func restore(recordsMax: Int?, isCancelled: @escaping () -> Bool, between: () -> Void) -> Bool {
        let (known, sealed, open, durable) = shared.published.withLock { ($0.supersessions, $0.sealed, $0.open.index.count, $0.durable) }
        if known.isWhole { return true }
        let isIndexed = sealed.allSatisfy { if case .missing = $0.index { false } else { true } }
        guard isIndexed else { return false }
        var position: UInt64 = 0
        if let content = try? SupersessionFile.read(from: directory, logID: logID, durable: durable), isValid(content, for: sealed) {
            shared.published.withLock { published in
                published.supersessions.take(content.chunks)
                published.supersessions.keptThrough = content.through
            }
            position = content.through
        }
        var inMemory = open
        var isOnDisk = false
        for segment in sealed where segment.successor > position + 1 {
            if case .inMemory(let index) = segment.index { inMemory += index.count } else { isOnDisk = true }
        }
        if let recordsMax, inMemory > recordsMax || isOnDisk { return false }
        var search = SupersessionSearch(shared, isCancelled: isCancelled)
        guard search.followMemory(above: isOnDisk ? 0 : position) else { return false }
        if isOnDisk, !search.mergeFiles(between: between) { return false }
        return shared.published.withLock { published in
            published.supersessions.becomeWhole(losses: known.losses)
            return published.supersessions.isWhole
        }
    }

    /// Whether the segments that the content is of are as they were.
    private func isValid(_ content: SupersessionFile.Content, for sealed: [SealedSegment]) -> Bool {
        sealed.allSatisfy { segment in
            // Of one that the position lies in nobody counted the records up to there: with damage some may be gone that superseded
            // others.
            if segment.successor > content.through + 1 { return segment.first > content.through || segment.damageCount == 0 }
            return content.recordCounts[segment.first] == segment.recordCount
        }
    }

    /// Writes the file, where it is known through a sealed segment that the last one was not: or, at the end, through
    /// any record. Nothing where it is not known.
    func keep(isEnd: Bool) throws(SystemError) {
        let (known, sealed, durable) = shared.published.withLock { ($0.supersessions, $0.sealed, $0.durable) }
        let wanted = isEnd ? durable : sealed.last.map { $0.successor - 1 } ?? 0
        guard known.isWhole, wanted > known.keptThrough else { return }
        var content = SupersessionFile.Content(logID: logID, through: durable, chunks: known.chunks)
        for segment in sealed { content.recordCounts[segment.first] = segment.recordCount ?? 0 }
        try SupersessionFile.write(content, to: directory)
        shared.published.withLock { $0.supersessions.keptThrough = durable }
    }
}

extension Upkeep {
    /// False where it is to be tried again.
    func keepSupersessions() -> Bool {
        let shared = self.shared
        let isWhole = supersessions.restore(
            recordsMax: nil, isCancelled: { shared.isClosing.load(ordering: .relaxed) },
            between: { if hasUnindexed { _ = indexSegments() } })
        guard isWhole else { return false }
        do throws(SystemError) {
            try supersessions.keep(isEnd: false)
            return true
        } catch {
            observe(.supersessionsFailed("\(error)"))
            return false
        }
    }

    private var hasUnindexed: Bool {
        shared.published.withLock { $0.sealed.contains { if case .onDisk = $0.index { false } else { true } } }
    }

    /// The log is closed: what is known is kept for the next start.
    func close() { try? supersessions.keep(isEnd: true) }
}
