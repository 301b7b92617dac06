// A log directory made whole again, before anything is served.
//
//     found                                                   done, in this order
//     an unsound place that no later line proves (a tear)     from there on: kept beside as ….torn, cut
//     sound records above the proven position                 copied to a fresh segment, synced, renamed into place
//     an unsound place that a later line proves (damage)      named; when in the newest segment, a fresh one begins
//     nothing of these                                        the newest segment goes on, its checkpoint synced
//
// Where the disk has no room for that, nothing is lost either, and what is there is served: a tear stays where it is, behind the
// segment that follows it (API.md §7), and what is not proven is written again and synced in its place.
//
// Sound records above the proven position were perhaps acknowledged, perhaps never synced: after SIGKILL they
// sit in the page cache and nowhere else. Copied and synced they are safe to acknowledge (invariant 4).
//
// Only the end of the log is read for this: from the newest segment back to where a line proves that everything
// before was durable once. What is not sound before that is damage; the index files name it (History.swift).
// Promises: each step leaves a directory from which the same recovery, begun again, loses nothing: what is
// cut is kept before it is cut, and the copy counts only once it is renamed. A crash within recovery is a crash.
// Must not know: who writes next.

import Platform

/// Why a log could not be opened.
public enum LogOpenFailure: Error, Sendable, Equatable, CustomStringConvertible {
    case system(SystemError)
    /// Another process has the directory.
    case inUse(path: String)
    /// A record or a segment's name claims a sequence beyond 18 digits.
    case sequenceTooLarge(path: String)

    public var description: String {
        switch self {
        case .system(let error) where error.isOutOfSpace: "\(error); make room on the file system of the log directory"
        case .system(let error): "\(error); mend what is there, or name another directory with --data-directory"
        case .inUse(let path): "the log directory \(path) is in use by another callback-receiver; stop it, or name another with --data-directory"
        case .sequenceTooLarge(let path): "the log directory \(path) holds a sequence of more than 18 digits; it was not written by callback-receiver"
        }
    }
}

/// What recovery found and did.
public struct RecoveryReport: Sendable, Equatable {
    /// The tear of a crash: where it was, how many bytes were cut, and the file that keeps them.
    public struct Tear: Sendable, Equatable {
        /// Where it was.
        public let place: UnsoundPlace
        /// That were cut.
        public let bytes: Int64
        /// The file's name: the segment itself, which another follows, where there was no room for a file beside it.
        public let keptIn: String
    }
    /// The open one included.
    public internal(set) var segments = 0
    /// In segments that are indexed.
    public internal(set) var records = 0
    /// Of all segments, without index files.
    public internal(set) var bytes: Int64 = 0
    /// Nil where nothing was torn.
    public internal(set) var tear: Tear?
    /// Sound records that no line proved durable: copied to a fresh segment and synced.
    public internal(set) var copied = 0
    /// The same, where there was no room for a copy: written again where they stand, and synced.
    public internal(set) var rewritten = 0
    /// Segments whose index file is missing or of no use, and why, for people; they are read while serving, or were
    /// read already where that was little.
    public internal(set) var unindexed: [String] = []
    /// The log was there and its identity was not, or was damaged: it has another one from now on.
    public internal(set) var hasNewIdentity = false
    /// Damaged places, at most 1,000; `damageCount` counts them all.
    public internal(set) var damages: [UnsoundPlace] = [], damageCount = 0
}

/// A segment at the end of the log, read through.
private struct ScannedSegment {
    var file: any File
    let first: UInt64
    var index: SegmentIndex
    var scan: SegmentScan
}

struct Recovery {
    /// All but the newest, oldest first.
    private(set) var sealed: [SealedSegment] = []
    private(set) var report = RecoveryReport()
    private(set) var identity: Identity
    /// The hash of the indexes.
    let hash: KeyedHash
    /// The sequence of the next record.
    private(set) var next: UInt64 = 1
    /// The highest position that a line in the log proves; 0 after a cut, where that is not known.
    private(set) var proven: UInt64 = 0
    private(set) var latest = Timestamp(milliseconds: 0)
    /// Where the newest segment goes on.
    private(set) var end: Int64 = 0
    /// When the newest segment's first record was received; nil where it has none.
    private(set) var earliest: Timestamp?

    private let directory: any Directory
    private let describe: @Sendable (RecordKind, Span<UInt8>, inout RecordDescription) -> Void
    /// Oldest first; the last one is the newest of the log, which goes on.
    private var segments: [ScannedSegment] = []

    init(_ directory: any Directory, options: LogOptions = LogOptions()) throws(LogOpenFailure) {
        self.directory = directory
        describe = options.describe
        do throws(SystemError) {
            let names = try directory.names()
            let isNew: Bool
            (identity, isNew) = try Identity.read(orMakeIn: directory, names: names)
            report.hasNewIdentity = isNew && names.contains { SegmentName.firstSequence(of: $0) != nil }
            hash = KeyedHash(key: identity.hashKey, mask: options.hashMask)
            try run(names, options)
        } catch {
            throw .system(error)
        }
        guard next < RecordFormat.sequenceMax else { throw .sequenceTooLarge(path: directory.path) }
    }

    var open: OpenSegment {
        let newest = segments[segments.count - 1]
        return OpenSegment(file: newest.file, first: newest.first, index: newest.index)
    }

    private mutating func run(_ names: [String], _ options: LogOptions) throws(SystemError) {
        var firsts: [UInt64] = []
        for name in names {
            if let first = SegmentName.firstSequence(of: name) { firsts.append(first) }
            if SegmentName.isUnfinished(name) { try directory.remove(name) }
        }
        firsts.sort()
        // A process killed before it could has made names that are not durable, and what it acknowledges next
        // would go with them.
        try directory.synchronize()
        let history = History(
            IndexMaker(directory: directory, hash: hash, options: options), scanBytesMax: options.historyScanBytesMax, names: names,
            firsts: firsts)
        let state = try scanEnd(firsts)
        sealed = history.segments(before: firsts.count - segments.count, report: &report)
        latest = sealed.reduce(state.latest) { max($0, $1.latest ?? $0) }
        try mend(state)
        try finish(state)
    }

    /// Reads the end of the log: back to where a line proves that all before it was durable once.
    private mutating func scanEnd(_ firsts: [UInt64]) throws(SystemError) -> ScanState {
        var start = firsts.count
        var state = ScanState(first: firsts.first ?? 1)
        while start > 0 {
            start -= 1
            state = ScanState(first: firsts[start])
            segments = []
            for ordinal in start..<firsts.count {
                let file = try directory.openToWrite(SegmentName.name(first: firsts[ordinal]))
                let successor = ordinal + 1 < firsts.count ? firsts[ordinal + 1] : nil
                segments.append(try scanned(file, first: firsts[ordinal], successor: successor, state: &state))
            }
            // A line, not an index file, which does not know of the checkpoint that says the latest time.
            if state.provenByLine >= firsts[start] - 1 { break }
        }
        return state
    }

    /// Cuts a tear, copies what is not proven, and sees to it that the newest segment can go on.
    private mutating func mend(_ state: ScanState) throws(SystemError) {
        proven = state.proven
        var last = max(state.last, state.proven)
        var isTornOpen = false
        if let tear = state.pending.first {
            last = tear.sequence - 1
            isTornOpen = try !cut(tear)
        }
        if last > proven {
            let isCopied = isTornOpen ? false : try copyUnproven()
            if !isCopied { try rewriteUnproven() }
        }
        // What was cut may have held the only proof of what stands before it: a checkpoint has to take its place.
        if report.tear != nil { proven = 0 }
        next = last + 1
        let newestIsDamaged = segments.last.map { $0.file.name == state.newestDamage?.segment } ?? true
        guard !newestIsDamaged, !isTornOpen, let newest = segments.last else { return try beginSegment() }
        // Padding behind the last line: new lines would only cover part of it, and grep takes NUL for binary.
        if newest.scan.end < newest.scan.size { try newest.file.truncate(to: newest.scan.end) }
        if let start = newest.scan.checkpoint { try rewrite(newest.file, from: start, to: newest.scan.end) }
    }

    /// Takes the padding away that a crash left at the end of a segment which does not go on: grep takes NUL for binary.
    private func trim(_ file: any File) throws(SystemError) {
        let end = try SegmentView.contentEnd(of: file)
        if try end < file.size() { try file.truncate(to: end) }
    }

    /// What was read and is not the newest joins those before it.
    private mutating func finish(_ state: ScanState) throws(SystemError) {
        for (segment, after) in zip(segments, segments.dropFirst()) {
            let damages = state.damages.filter { $0.segment == segment.file.name }
            // A damaged one is closed as it is (API.md §7).
            if damages.isEmpty { try trim(segment.file) }
            sealed.append(
                SealedSegment(
                    first: segment.first, successor: after.first, byteCount: try segment.file.size(), latest: segment.scan.latest,
                    index: .inMemory(segment.index), damages: damages,
                    damageCount: damages.count < ScanState.damagesMax ? damages.count : state.damageCount))
        }
        end = segments.last?.scan.end ?? 0
        earliest = segments.last?.scan.earliest
        report.segments = sealed.count + 1
        report.records += segments.reduce(0) { $0 + $1.index.count }
        report.bytes = sealed.reduce(end) { $0 + $1.byteCount }
        report.damages += state.damages.prefix(ScanState.damagesMax - report.damages.count)
        report.damageCount += state.damageCount
    }

    /// Keeps what stands from the tear on beside its segment, then cuts it there. Later segments go whole. False where there was
    /// no room to keep it: then it stays where it is, and a segment has to follow that begins where it does.
    private mutating func cut(_ tear: UnsoundPlace) throws(SystemError) -> Bool {
        guard let ordinal = segments.firstIndex(where: { $0.file.name == tear.segment }) else { return true }
        var bytes: Int64 = 0
        while segments.count > ordinal + 1 {
            bytes += try segments[segments.count - 1].file.size()
            try putAside(segments.removeLast().file)
        }
        let torn = segments[ordinal]
        bytes += max(0, try torn.file.size() - tear.offset)
        report.tear = RecoveryReport.Tear(place: tear, bytes: bytes, keptIn: SegmentName.torn(tear.segment))
        do throws(SystemError) {
            try keep(torn.file, from: tear.offset)
        } catch {
            guard error.isOutOfSpace else { throw error }
            try leave(tear, in: ordinal)
            return false
        }
        try torn.file.truncate(to: tear.offset)
        try torn.file.synchronizeData()
        try directory.synchronize()
        try rescan(ordinal, successor: nil)
        return true
    }

    /// The segment that begins where the tear does ends what stands before it, and nothing behind that is read (API.md §7).
    private mutating func leave(_ tear: UnsoundPlace, in ordinal: Int) throws(SystemError) {
        // Its name is that of the one that is to follow, and there is no record in it.
        if segments[ordinal].first == tear.sequence { return try putAside(segments.remove(at: ordinal).file) }
        report.tear = report.tear.map { RecoveryReport.Tear(place: tear, bytes: $0.bytes, keptIn: tear.segment) }
        if let start = segments[ordinal].index.firstIndex(above: tear.sequence - 1) { try forget(from: start, in: ordinal) }
    }

    /// A segment that is torn from its first line on becomes its ….torn, which takes no room, or a part of it.
    private func putAside(_ file: any File) throws(SystemError) {
        let name = SegmentName.torn(file.name)
        if try directory.names().contains(name) {
            try keep(file, from: 0)
            try directory.remove(file.name)
        } else {
            // What the page cache alone has of it is perhaps somebody's callback.
            try file.synchronizeData()
            try directory.rename(file.name, to: name)
        }
        try directory.synchronize()
    }

    /// Appends `file` from `offset` on to its ….torn, durably; or nothing.
    private func keep(_ file: any File, from offset: Int64) throws(SystemError) {
        let size = try file.size()
        guard size > offset else { return }
        let name = SegmentName.torn(file.name)
        let kept = try directory.names().contains(name) ? try directory.openToWrite(name) : try directory.create(name)
        let end = try kept.size()
        do throws(SystemError) {
            var position = end
            if position > 0 { position += try kept.writeWhole([0x0A], at: position) }
            try forEachChunk(of: file, from: offset, to: size) { bytes, _ throws(SystemError) in position += try kept.writeWhole(bytes, at: position) }
            try kept.synchronizeData()
            try directory.synchronize()
        } catch {
            // A disk that is full has better use for it.
            if end == 0 { _ = try? directory.remove(name) } else { _ = try? kept.truncate(to: end) }
            throw error
        }
    }

    /// Writes what stands there once more, and syncs it: its own fdatasync may have failed though the cache shows it (invariant 3).
    private func rewrite(_ file: any File, from start: Int64, to end: Int64) throws(SystemError) {
        try forEachChunk(of: file, from: start, to: end) { bytes, offset throws(SystemError) in try file.writeWhole(bytes, at: offset) }
        try file.synchronizeData()
    }

    private func forEachChunk(
        of file: any File, from start: Int64, to end: Int64, _ body: ([UInt8], Int64) throws(SystemError) -> Void
    ) throws(SystemError) {
        var buffer = [UInt8](repeating: 0, count: Int(min(max(0, end - start), Int64(SegmentScan.chunkBytes))))
        var offset = start
        while offset < end {
            let got = try file.read(at: offset, count: Int(min(Int64(buffer.count), end - offset)), into: &buffer, from: 0)
            if got == 0 { break }
            try body(Array(buffer[..<got]), offset)
            offset += Int64(got)
        }
    }

    // MARK: reading

    private func scanned(_ file: any File, first: UInt64, successor: UInt64?, state: inout ScanState) throws(SystemError) -> ScannedSegment {
        let (scan, index) = try SegmentScan.indexed(file, first: first, successor: successor, hash: hash, describe: describe, state: &state)
        return ScannedSegment(file: file, first: first, index: index, scan: scan)
    }

    private mutating func rescan(_ ordinal: Int, successor: UInt64?) throws(SystemError) {
        var state = ScanState(first: segments[ordinal].first)
        segments[ordinal] = try scanned(segments[ordinal].file, first: segments[ordinal].first, successor: successor, state: &state)
    }

    /// Invariant 4. The records above the proven position stand in the newest segment that has records. False where there was
    /// no room for the copy.
    private mutating func copyUnproven() throws(SystemError) -> Bool {
        // The first of them, not the position after the proven one: that may lie in a damaged place, and a
        // segment named by it would begin with a hole of its own.
        guard let source = segments.lastIndex(where: { $0.first <= proven + 1 }),
            let start = segments[source].index.firstIndex(above: proven)
        else { return true }
        let first = segments[source].index[start].sequence
        let name = SegmentName.name(first: first)
        do throws(SystemError) {
            try write(segments[source], from: start, to: SegmentName.unfinished(name))
            // A tear for which there was no room once: it goes with the file that the copy replaces.
            let (file, end) = (segments[source].file, segments[source].scan.end)
            if segments[source].first == first, try SegmentView.contentEnd(of: file) > end { try keep(file, from: end) }
            try directory.rename(SegmentName.unfinished(name), to: name)
        } catch {
            guard error.isOutOfSpace else { throw error }
            _ = try? directory.remove(SegmentName.unfinished(name))
            return false
        }
        try directory.synchronize()
        report.copied = segments[source].index.count - start

        var state = ScanState(first: first)
        let copy = try scanned(try directory.openToWrite(name), first: first, successor: nil, state: &state)
        if segments[source].first == first {
            segments[source] = copy
            return true
        }
        // What was copied is no longer this segment's. It is not read once more for that: it may be long.
        try forget(from: start, in: source)
        segments.insert(copy, at: source + 1)
        return true
    }

    /// Makes a file of the records from `start` on, and syncs it.
    private func write(_ segment: ScannedSegment, from start: Int, to name: String) throws(SystemError) {
        let file = try directory.create(name)
        var buffer: [UInt8] = []
        var position: Int64 = 0
        var reader = RecordReader()
        for number in start..<segment.index.count {
            _ = try read(segment.index[number], &reader, segment.file)
            buffer.append(contentsOf: reader.bytes[..<reader.count])
            buffer.append(0x0A)
            if buffer.count >= SegmentScan.chunkBytes {
                position += try file.writeWhole(buffer, at: position)
                buffer.removeAll(keepingCapacity: true)
            }
        }
        position += try file.writeWhole(buffer, at: position)
        try file.synchronizeData()
    }

    /// Invariant 4 where there is no room for a copy. It is no retry of what failed (invariant 3): all of it is written again.
    private mutating func rewriteUnproven() throws(SystemError) {
        for segment in segments {
            guard let start = segment.index.firstIndex(above: proven) else { continue }
            try rewrite(segment.file, from: Int64(segment.index[start].offset), to: segment.scan.end)
            report.rewritten += segment.index.count - start
        }
    }

    /// The records from `start` on are not this segment's.
    private mutating func forget(from start: Int, in ordinal: Int) throws(SystemError) {
        var reader = RecordReader()
        segments[ordinal].scan.latest =
            start > 0 ? try read(segments[ordinal].index[start - 1], &reader, segments[ordinal].file).receivedAt : nil
        segments[ordinal].index.removeAll(from: start)
    }

    /// A record that was read well a moment ago: when it is not now, then it is the disk and not the format.
    private func read(_ entry: RecordEntry, _ reader: inout RecordReader, _ file: any File) throws(SystemError) -> ParsedLine {
        do throws(RecordReadFailure) {
            return try reader.read(entry, in: file)
        } catch {
            throw SystemError(operation: "pread", path: file.name, code: SystemError.inputOutput)
        }
    }

    private mutating func beginSegment() throws(SystemError) {
        let file = try directory.create(SegmentName.name(first: next))
        try directory.synchronize()
        var state = ScanState(first: next)
        segments.append(try scanned(file, first: next, successor: nil, state: &state))
    }
}
