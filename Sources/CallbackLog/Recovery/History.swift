// What is before the end of the log: segments of which it is enough to read the index.
//
// Promises: everything in them was durable once, so what is not sound there is damage. A segment whose index file
// is of no use is read at once, newest first, as long as that is little; the others while serving (Upkeep.swift),
// so that a start never waits for a long history.
// Must not know: how the end of the log is mended (Recovery.swift).

import Platform

struct History {
    /// Bytes of segments that are read before serving where their index files are of no use: one segment of the
    /// default size, a third of a second.
    static let scanBytesMax: Int64 = 128 * 1_024 * 1_024

    private enum Found {
        case indexed(SealedSegment)
        /// For people.
        case unindexed(String)
    }

    private let maker: IndexMaker
    private let scanBytesMax: Int64
    private let firsts: [UInt64]
    /// Of each segment but the newest.
    private var found: [Found] = []

    /// `names` is all that is in the directory, `firsts` the first sequences of its segments, ascending.
    init(_ maker: IndexMaker, scanBytesMax: Int64, names: [String], firsts: [UInt64]) {
        self.maker = maker
        self.scanBytesMax = scanBytesMax
        self.firsts = firsts
        let indexed = Set(names.filter { SegmentName.firstSequence(ofIndex: $0) != nil })
        var filterBytes = 0
        // The newest first: their filters are kept in memory.
        for (first, successor) in zip(firsts, firsts.dropFirst()).reversed() {
            guard indexed.contains(SegmentName.index(first: first)) else {
                found.append(.unindexed("\(SegmentName.name(first: first)): it has none"))
                continue
            }
            do throws(IndexFault) {
                let segment = try maker.read(first: first, successor: successor, keepsFilter: filterBytes < Published.filterBytesMax)
                filterBytes += segment.filterBytes
                found.append(.indexed(segment))
            } catch {
                found.append(.unindexed("\(SegmentName.name(first: first)): \(error)"))
            }
        }
        found.reverse()
    }

    /// The segments before `end`, oldest first; what was found of them is put into the report.
    func segments(before end: Int, report: inout RecoveryReport) -> [SealedSegment] {
        var segments: [SealedSegment] = []
        var budget = scanBytesMax
        for ordinal in (0..<end).reversed() {
            switch found[ordinal] {
            case .indexed(let segment):
                segments.append(segment)
            case .unindexed(let why):
                report.unindexed.append(why)
                segments.append(read(ordinal, &budget))
            }
        }
        segments.reverse()
        for segment in segments {
            report.records += segment.recordCount ?? 0
            report.damages += segment.damages.prefix(ScanState.damagesMax - report.damages.count)
            report.damageCount += segment.damageCount
        }
        return segments
    }

    private func read(_ ordinal: Int, _ budget: inout Int64) -> SealedSegment {
        let byteCount = (try? maker.byteCount(first: firsts[ordinal])) ?? 0
        budget -= byteCount
        var failure: SystemError?
        if budget >= 0, let segment = try? maker.make(first: firsts[ordinal], successor: firsts[ordinal + 1], failure: &failure) { return segment }
        return SealedSegment(first: firsts[ordinal], successor: firsts[ordinal + 1], byteCount: byteCount, latest: nil, index: .missing)
    }
}
