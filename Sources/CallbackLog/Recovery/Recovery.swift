// A log directory made whole again, before anything is served.
//
//     found                                                   done, in this order
//     an unsound place that no later line proves (a tear)     from there on: kept beside as ….torn, cut
//     sound records above the proven position                 copied to a fresh segment, synced, renamed into place
//     an unsound place that a later line proves (damage)      named; when in the newest segment, a fresh one begins
//     nothing of these                                        the newest segment goes on, its checkpoint synced
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
        public let place: UnsoundPlace
        /// That were cut.
        public let bytes: Int64
        /// The file's name.
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
    /// Segments whose index file is missing or of no use, and why, for people; they are read while serving, or were
    /// read already where that was little.
    public internal(set) var unindexed: [String] = []
    /// The log was there and its identity was not, or was damaged: it has another one from now on.
    public internal(set) var hasNewIdentity = false
    /// Damaged places, at most 1,000; `damageCount` counts them all.
    public internal(set) var damages: [UnsoundPlace] = []
    public internal(set) var damageCount = 0
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
        if let tear = state.pending.first {
            try cut(tear)
            last = tear.sequence - 1
        }
        if last > proven { try copyUnproven() }
        // What was cut may have held the only proof of what stands before it: a checkpoint has to take its place.
        if report.tear != nil { proven = 0 }
        next = last + 1
        let newestIsDamaged = segments.last.map { $0.file.name == state.newestDamage?.segment } ?? true
        guard !newestIsDamaged, let newest = segments.last else { return try beginSegment() }
        // Padding behind the last line: new lines would only cover part of it, and grep takes NUL for binary.
        if newest.scan.end < newest.scan.size { try newest.file.truncate(to: newest.scan.end) }
        if let start = newest.scan.checkpoint { try settle(newest.file, from: start, to: newest.scan.end) }
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

    /// Keeps what stands from the tear on beside its segment, then cuts it there. Later segments go whole.
    private mutating func cut(_ tear: UnsoundPlace) throws(SystemError) {
        guard let ordinal = segments.firstIndex(where: { $0.file.name == tear.segment }) else { return }
        var bytes: Int64 = 0
        while segments.count > ordinal + 1 {
            let later = segments.removeLast()
            bytes += try keep(later.file, from: 0)
            try directory.remove(later.file.name)
        }
        let torn = segments[ordinal]
        bytes += try keep(torn.file, from: tear.offset)
        try torn.file.truncate(to: tear.offset)
        try torn.file.synchronizeData()
        try directory.synchronize()
        report.tear = RecoveryReport.Tear(place: tear, bytes: bytes, keptIn: SegmentName.torn(tear.segment))
        try rescan(ordinal, successor: nil)
    }

    /// Appends `file` from `offset` on to its ….torn, durably. Returns how many bytes.
    private func keep(_ file: any File, from offset: Int64) throws(SystemError) -> Int64 {
        let size = try file.size()
        guard size > offset else { return 0 }
        let name = SegmentName.torn(file.name)
        let kept = try directory.names().contains(name) ? try directory.openToWrite(name) : try directory.create(name)
        var position = try kept.size()
        if position > 0 { position += try kept.writeWhole([0x0A], at: position) }
        var from = offset
        var buffer = [UInt8](repeating: 0, count: Int(min(size - offset, Int64(SegmentScan.chunkBytes))))
        while from < size {
            let got = try file.read(at: from, count: Int(min(Int64(buffer.count), size - from)), into: &buffer, from: 0)
            if got == 0 { break }
            position += try kept.writeWhole(Array(buffer[..<got]), at: position)
            from += Int64(got)
        }
        try kept.synchronizeData()
        try directory.synchronize()
        return size - offset
    }

    /// Writes the checkpoint at the end of the newest segment again, and syncs it. Its own fdatasync may have
    /// failed, the page cache shows it all the same (invariant 3), and records are to stand behind it.
    private func settle(_ file: any File, from start: Int64, to end: Int64) throws(SystemError) {
        var bytes = [UInt8](repeating: 0, count: Int(min(end - start, Int64(RecordFormat.overheadBytesMax))))
        let got = try file.read(at: start, count: bytes.count, into: &bytes, from: 0)
        try file.writeWhole(Array(bytes[..<got]), at: start)
        try file.synchronizeData()
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

    /// Invariant 4. The records above the proven position stand in the newest segment that has records.
    private mutating func copyUnproven() throws(SystemError) {
        // The first of them, not the position after the proven one: that may lie in a damaged place, and a
        // segment named by it would begin with a hole of its own.
        guard let source = segments.lastIndex(where: { $0.first <= proven + 1 }),
            let start = segments[source].index.firstIndex(above: proven)
        else { return }
        let first = segments[source].index[start].sequence
        let name = SegmentName.name(first: first)
        let fresh = try directory.create(SegmentName.unfinished(name))
        var buffer: [UInt8] = []
        var position: Int64 = 0
        var reader = RecordReader()
        for number in start..<segments[source].index.count {
            _ = try read(segments[source].index[number], &reader, segments[source].file)
            buffer.append(contentsOf: reader.bytes[..<reader.count])
            buffer.append(0x0A)
            report.copied += 1
            if buffer.count >= SegmentScan.chunkBytes {
                position += try fresh.writeWhole(buffer, at: position)
                buffer.removeAll(keepingCapacity: true)
            }
        }
        position += try fresh.writeWhole(buffer, at: position)
        try fresh.synchronizeData()
        try directory.rename(SegmentName.unfinished(name), to: name)
        try directory.synchronize()

        var state = ScanState(first: first)
        let copy = try scanned(try directory.openToWrite(name), first: first, successor: nil, state: &state)
        if segments[source].first == first { return segments[source] = copy }
        // What was copied is no longer this segment's. It is not read once more for that: it may be long.
        segments[source].index.removeAll(from: start)
        segments[source].scan.latest = start > 0 ? try read(segments[source].index[start - 1], &reader, segments[source].file).receivedAt : nil
        segments.insert(copy, at: source + 1)
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
