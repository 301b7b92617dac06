// The index file of a sealed segment, made and read.
//
// Promises: made beside its name and renamed, so that a reader finds a whole one or none; derived from the segment
// alone, so that it can be made again at any time (invariant 6). The directory is not synced for it: an index file
// that a crash takes along is made again. Memory is what the file's hashes take.
// Must not know: when it is done (Upkeep.swift, History.swift).

import Platform

struct IndexMaker: Sendable {
    let directory: any Directory
    let hash: KeyedHash
    let versions: DerivedVersions
    let describe: @Sendable (RecordKind, Span<UInt8>, inout RecordDescription) -> Void
    /// False: indexes are made in memory only.
    let writesFiles: Bool

    init(directory: any Directory, hash: KeyedHash, options: LogOptions) {
        self.directory = directory
        self.hash = hash
        versions = options.versions
        describe = options.describe
        writesFiles = options.hasUpkeep
    }

    /// Of the segment that begins with `first`, in bytes.
    func byteCount(first: UInt64) throws(SystemError) -> Int64 { try directory.open(SegmentName.name(first: first)).size() }

    /// The segment as its index file shows it.
    func read(first: UInt64, successor: UInt64, keepsFilter: Bool) throws(IndexFault) -> SealedSegment {
        let byteCount: Int64
        let isReadable: Bool
        let file: any File
        do throws(SystemError) {
            (byteCount, isReadable) = try size(first: first)
            file = try directory.open(SegmentName.index(first: first))
        } catch {
            throw .system(error)
        }
        let index = try IndexFile(
            file, first: first, successor: successor, segmentBytes: byteCount, versions: versions, hash: hash, keepsFilter: keepsFilter)
        let segment = SealedSegment(index, byteCount: byteCount)
        return isReadable ? segment : segment.unreadable
    }

    /// A segment that may not be read still has its index, which knows what is not in it.
    private func size(first: UInt64) throws(SystemError) -> (byteCount: Int64, isReadable: Bool) {
        do throws(SystemError) {
            return (try byteCount(first: first), true)
        } catch {
            guard error.isPermission else { throw error }
            return (try directory.size(of: SegmentName.name(first: first)), false)
        }
    }

    /// Reads the segment through and writes its index file anew. Where the file cannot be written, or a part of the
    /// segment cannot be read, the index is in memory only, and `failure` says why. It throws ECANCELED soon after
    /// `isCancelled` says so.
    func make(
        first: UInt64, successor: UInt64, failure: inout SystemError?, isCancelled: () -> Bool = { false }
    ) throws(SystemError) -> SealedSegment {
        let segment = try directory.open(SegmentName.name(first: first))
        let unfinished = SegmentName.unfinished(SegmentName.index(first: first))
        if writesFiles {
            do throws(SystemError) {
                if let made = try write(unfinished, of: segment, first: first, successor: successor, isCancelled) { return made }
            } catch {
                if error.isCancelled { throw error }
                // A disk that is full may be readable all the same.
                failure = error
            }
            _ = try? directory.remove(unfinished)
        }
        var state = ScanState(first: first)
        let (scan, index) = try SegmentScan.indexed(segment, first: first, successor: successor, hash: hash, describe: describe, state: &state)
        failure = failure ?? scan.failure
        // What is sealed was durable to its end once.
        state.prove(.max)
        return SealedSegment(
            first: first, successor: successor, byteCount: scan.size, latest: scan.latest, index: .inMemory(index), damages: state.damages,
            damageCount: state.damageCount)
    }

    /// Nil where a part of the segment could not be read: what is missing now may be there again later, and an index
    /// file would say for ever that it is damaged.
    private func write(
        _ unfinished: String, of segment: any File, first: UInt64, successor: UInt64, _ isCancelled: () -> Bool
    ) throws(SystemError) -> SealedSegment? {
        if try directory.names().contains(unfinished) { try directory.remove(unfinished) }
        let file = try directory.create(unfinished)
        let byteCount = try segment.size()
        var writer = IndexFileWriter(
            file, first: first, successor: successor, segmentBytes: byteCount, versions: versions, hash: hash)
        var description = RecordDescription(hash: hash)
        var identifier: [UInt8] = []
        var state = ScanState(first: first)
        let scan = try SegmentScan(segment, first: first, successor: successor, state: &state) { line, bytes, offset throws(SystemError) in
            guard let entry = RecordEntry(line, bytes, at: offset, first: first, hash: hash, identifier: &identifier) else { return }
            if isCancelled() { throw SystemError(operation: "index", path: segment.name, code: SystemError.cancelled) }
            _ = description.take(line.kind, bytes.extracting(line.payload), from: describe)
            try writer.append(
                entry, receivedAt: line.receivedAt, status: description.status, failureClass: description.failureClass,
                keys: description.hashes.span)
        }
        guard scan.failure == nil, scan.size == byteCount else { return nil }
        let durable = state.provenByLine
        state.prove(.max)
        let index = try writer.finish(last: state.last, durable: durable, damages: state.damages, damageCount: state.damageCount)
        do throws(SystemError) {
            try directory.rename(unfinished, to: SegmentName.index(first: first))
        } catch {
            guard error.isDirectory else { throw error }
            // Somebody's directory has the name: it is put aside, and is theirs to look at.
            try directory.rename(SegmentName.index(first: first), to: SegmentName.failed(SegmentName.index(first: first)))
            try directory.rename(unfinished, to: SegmentName.index(first: first))
        }
        return SealedSegment(index, byteCount: byteCount)
    }
}
