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
        case .system(let error): "\(error)"
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
        public let bytes: Int64
        public let keptIn: String
    }
    public internal(set) var segments = 0
    public internal(set) var records = 0
    public internal(set) var bytes: Int64 = 0
    public internal(set) var tear: Tear?
    /// Sound records that no line proved durable: copied to a fresh segment and synced.
    public internal(set) var copied = 0
    /// Damaged places, at most 1,000; `damageCount` counts them all.
    public internal(set) var damages: [UnsoundPlace] = []
    public internal(set) var damageCount = 0
}

/// A segment as readers see it. Its index grows only while it is the open one.
struct Segment: Sendable {
    let file: any File
    let first: UInt64
    var index: SegmentIndex
}

struct Recovery {
    private(set) var segments: [Segment] = []
    private(set) var report = RecoveryReport()
    /// The sequence of the next record.
    private(set) var next: UInt64 = 1
    /// The highest position that a line in the log proves; 0 after a cut, where that is not known.
    private(set) var proven: UInt64 = 0
    private(set) var latest = Timestamp(milliseconds: 0)
    /// Where the newest segment goes on.
    private(set) var end: Int64 = 0

    private let directory: any Directory
    private let hash: KeyedHash
    private var scans: [SegmentScan] = []

    init(_ directory: any Directory, hash: KeyedHash = KeyedHash()) throws(LogOpenFailure) {
        self.directory = directory
        self.hash = hash
        do throws(SystemError) {
            try run()
        } catch {
            throw .system(error)
        }
        guard next < RecordFormat.sequenceMax else { throw .sequenceTooLarge(path: directory.path) }
    }

    private mutating func run() throws(SystemError) {
        var firsts: [UInt64] = []
        for name in try directory.names() {
            if let first = SegmentName.firstSequence(of: name) { firsts.append(first) }
            if SegmentName.isUnfinished(name) { try directory.remove(name) }
        }
        firsts.sort()
        // A process killed before it could has made names that are not durable, and what it acknowledges next
        // would go with them.
        try directory.synchronize()
        var state = ScanState(first: firsts.first ?? 1)
        for (ordinal, first) in firsts.enumerated() {
            let file = try directory.open(SegmentName.name(first: first))
            let successor = ordinal + 1 < firsts.count ? firsts[ordinal + 1] : nil
            var segment = Segment(file: file, first: first, index: SegmentIndex(first: first))
            scans.append(try scan(&segment, successor: successor, state: &state))
            segments.append(segment)
        }
        report.damages = state.damages
        report.damageCount = state.damageCount
        proven = state.proven
        latest = state.latest
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
        if newestIsDamaged {
            try beginSegment()
        } else if let scan = scans.last, let newest = segments.last {
            // Padding behind the last line: new lines would only cover part of it, and grep takes NUL for binary.
            if scan.end < scan.size { try newest.file.truncate(to: scan.end) }
            if let start = scan.checkpoint { try settle(newest.file, from: start, to: scan.end) }
        }
        end = scans.last?.end ?? 0
        report.segments = segments.count
        report.records = segments.reduce(0) { $0 + $1.index.count }
        report.bytes = scans.reduce(0) { $0 + $1.end }
    }

    /// Keeps what stands from the tear on beside its segment, then cuts it there. Later segments go whole.
    private mutating func cut(_ tear: UnsoundPlace) throws(SystemError) {
        guard let ordinal = segments.firstIndex(where: { $0.file.name == tear.segment }) else { return }
        var bytes: Int64 = 0
        while segments.count > ordinal + 1 {
            let later = segments.removeLast()
            scans.removeLast()
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
        let kept = try directory.names().contains(name) ? try directory.open(name) : try directory.create(name)
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

    /// Reads a segment, with its index.
    private func scan(_ segment: inout Segment, successor: UInt64?, state: inout ScanState) throws(SystemError) -> SegmentScan {
        var index = SegmentIndex(first: segment.first)
        var identifier: [UInt8] = []
        let scan = try SegmentScan(segment.file, first: segment.first, successor: successor, state: &state) { line, bytes, offset in
            if let entry = RecordEntry(line, bytes, at: offset, first: index.first, hash: hash, identifier: &identifier) { index.append(entry) }
        }
        segment.index = index
        return scan
    }

    private mutating func rescan(_ ordinal: Int, successor: UInt64?) throws(SystemError) {
        var state = ScanState(first: segments[ordinal].first)
        scans[ordinal] = try scan(&segments[ordinal], successor: successor, state: &state)
    }

    /// Invariant 4. The records above the proven position stand in the newest segment that has records.
    private mutating func copyUnproven() throws(SystemError) {
        // The first of them, not the position after the proven one: that may lie in a damaged place, and a
        // segment named by it would begin with a hole of its own.
        guard let source = segments.lastIndex(where: { $0.first <= proven + 1 }),
            let start = (0..<segments[source].index.count).first(where: { (position: Int) in segments[source].index[position].sequence > proven })
        else { return }
        let first = segments[source].index[start].sequence
        let name = SegmentName.name(first: first)
        let fresh = try directory.create(SegmentName.unfinished(name))
        var buffer: [UInt8] = []
        var position: Int64 = 0
        var reader = RecordReader()
        for number in start..<segments[source].index.count {
            let entry = segments[source].index[number]
            do throws(RecordReadFailure) {
                _ = try reader.read(entry, in: segments[source].file)
            } catch {
                // Read well a moment ago: the disk, not the format.
                throw SystemError(operation: "pread", path: segments[source].file.name, code: SystemError.inputOutput)
            }
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

        let copy = Segment(file: try directory.open(name), first: first, index: SegmentIndex(first: first))
        if segments[source].first == first {
            segments[source] = copy
            try rescan(source, successor: nil)
        } else {
            try rescan(source, successor: first)
            segments.insert(copy, at: source + 1)
            scans.insert(scans[source], at: source + 1)
            try rescan(source + 1, successor: nil)
        }
    }

    private mutating func beginSegment() throws(SystemError) {
        let file = try directory.create(SegmentName.name(first: next))
        try directory.synchronize()
        segments.append(Segment(file: file, first: next, index: SegmentIndex(first: next)))
        var state = ScanState(first: next)
        scans.append(try SegmentScan(file, first: next, successor: nil, state: &state) { _, _, _ in })
    }
}

extension File {
    /// Writes all of `bytes`, in as many calls as the kernel wants. Returns their count.
    @discardableResult
    func writeWhole(_ bytes: [UInt8], at offset: Int64) throws(SystemError) -> Int64 {
        var done = 0
        while done < bytes.count {
            let written = try write(bytes, from: done, at: offset + Int64(done))
            if written == 0 { throw SystemError(operation: "pwrite", path: name, code: SystemError.noSpace) }
            done += written
        }
        return Int64(bytes.count)
    }
}
