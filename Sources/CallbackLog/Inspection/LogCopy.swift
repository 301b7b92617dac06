// What is sound of a log, copied to a new directory: `callback-receiver log repair`.
//
//     source                                     copy
//     a sound record                             the same line, byte for byte, in a segment of the same name
//     a record that is lost to damage            a record of the kind "lost" in its place (below)
//     from the tear of a crash on                nothing: it was never acknowledged
//     checkpoints                                one at the end
//     identity                                   the same, so that the ids of events stay what they were
//     index files, ….torn, anything else         nothing
//
// A sequence that is missing would be damage again, in the copy too: sequences are dense (API.md §7). So the copy
// says in the log itself what became of it:
//
//     {"sequence":7,"received_at":"…","kind":"lost","request_id":"lost:7","durable":6,"crc32c":"…"}
//
// Every version takes a kind that it does not know as a sound record that nobody asks for.
// Promises: the source is read and nothing else. Each piece is synchronized as it is written, so that a server on
// the same disk never waits for a long fdatasync. Must not know: how progress is shown.

import Platform

/// Why a copy could not be made.
public enum LogCopyFailure: Error, Sendable, Equatable, CustomStringConvertible {
    case notEmpty(path: String)
    case inUse(path: String)
    case space(path: String, freeBytes: Int64, neededBytes: Int64)
    /// More than `LogCopy.lostMax`.
    case tooManyLost(UInt64)
    case reading(SystemError)
    case writing(path: String, SystemError)

    public var description: String {
        switch self {
        case .notEmpty(let path): "\(path) is not empty; name a directory that is, or that does not exist yet"
        case .inUse(let path): "\(path) is in use by a callback-receiver; name another directory"
        case .space(let path, let free, let needed):
            "the copy needs \(needed) bytes and \(free) are free on the file system of \(path); free some, or name a directory on another one"
        case .tooManyLost(let count):
            "\(count) records are missing, which no damage explains: a file of the log carries the name of another one; look at the names in the directory"
        case .reading(let error): "the log cannot be read: \(error)"
        case .writing(let path, let error): "\(path) cannot be written: \(error); remove it and try again where there is room"
        }
    }
}

/// What a copy holds.
public struct LogCopy: Sendable, Equatable {
    /// Records that can be said to be lost; each takes a line.
    static let lostMax: UInt64 = 10_000_000
    private static let identityBytesMax = 65_536

    /// Files of records that were copied.
    public internal(set) var segments = 0
    /// Records as they were.
    public internal(set) var records = 0
    /// Records of the kind `lost`.
    public internal(set) var lost: UInt64 = 0

    /// True for a file beside the segments that a copy takes along, or has no need of.
    public static func isTaken(_ name: String) -> Bool { name == Identity.fileName || SegmentName.firstSequence(ofIndex: name) != nil }

    /// Copies `log` to the directory at `path`, which is made, or is empty.
    /// - Parameters:
    ///   - survey: what a whole scan of the same log has shown.
    ///   - passed: told of every piece that is read, in bytes.
    public static func make(
        of log: LogInspection, survey: ScanReport, to path: String, passed: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws(LogCopyFailure) -> LogCopy {
        guard survey.lostCount <= lostMax else { throw .tooManyLost(survey.lostCount) }
        let directory = try target(path, room: log.bytes + Int64(survey.lostCount) * LogCopyWriter.lostBytesMax)
        var writer = LogCopyWriter(directory)
        var scan = LogScan(log, passed: passed)
        // The records of a file that was removed since are not said to be lost; the copy begins behind them.
        do throws(ScanFailure<SystemError>) {
            while try scan.scanSegment(visit: { (record, bytes) throws(SystemError) in
                guard record.sequence <= survey.end else { return }
                try writer.append(record, bytes)
            }) != nil {}
        } catch {
            switch error {
            case .system(let error): throw .reading(error)
            case .visitor(let error): throw .writing(path: path, error)
            }
        }
        let identity = try identity(of: log)
        do throws(SystemError) {
            try writer.finish(at: survey.end)
            if let identity {
                let file = try directory.create(Identity.fileName)
                try file.writeWhole(identity, at: 0)
                try file.synchronizeData()
            }
            try directory.synchronize()
        } catch {
            throw .writing(path: path, error)
        }
        return writer.copy
    }

    private static func target(_ path: String, room bytes: Int64) throws(LogCopyFailure) -> SystemDirectory {
        let directory: SystemDirectory
        let names: [String]
        let isMine: Bool
        let free: Int64
        do throws(SystemError) {
            directory = try SystemDirectory(creating: path)
            names = try directory.names()
            isMine = try directory.lockExclusively()
            free = try directory.freeBytes()
        } catch {
            throw .writing(path: path, error)
        }
        guard names.isEmpty else { throw .notEmpty(path: path) }
        guard isMine else { throw .inUse(path: path) }
        let needed = bytes + LogCopyWriter.spareBytes
        guard free >= needed else { throw .space(path: path, freeBytes: free, neededBytes: needed) }
        return directory
    }

    private static func identity(of log: LogInspection) throws(LogCopyFailure) -> [UInt8]? {
        do throws(SystemError) {
            guard log.others.contains(Identity.fileName), let file = try LogInspection.open(Identity.fileName, in: log.directory) else { return nil }
            var bytes = [UInt8](repeating: 0, count: identityBytesMax)
            let got = try file.read(at: 0, count: bytes.count, into: &bytes, from: 0)
            return Array(bytes[..<got])
        } catch {
            throw .reading(error)
        }
    }
}
