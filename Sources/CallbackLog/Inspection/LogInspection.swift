// A log directory looked at from outside, as the commands `callback-receiver log …` do.
//
// Promises: read-only, and beside a live server unnoticed: no lock, no file opened for writing, nothing created.
// What there is is settled when it is opened: these segments, the newest one as far as it had been written.
// A segment that retention removes meanwhile is passed over. Memory follows the number of segments alone.
// Must not know: who asks, what a payload means, how results are shown.

import Platform

/// Why a log directory cannot be looked at.
public enum InspectionFailure: Error, Sendable, Equatable, CustomStringConvertible {
    case missing(path: String)
    /// Nothing in it has a segment's name.
    case noLog(path: String)
    case system(SystemError)

    public var description: String {
        switch self {
        case .missing(let path): "the log directory \(path) does not exist; name the server's with --data-directory or --config"
        case .noLog(let path):
            "there is no log in \(path) (no file named like \(SegmentName.name(first: 1))); name the server's with --data-directory or --config"
        case .system(let error) where error.isForbidden:
            "the log cannot be read: \(error); run this as the user of the server, or as a member of its group"
        case .system(let error) where error.isNotDirectory:
            "the log cannot be read: \(error); name the server's directory with --data-directory or --config"
        case .system(let error): "the log cannot be read: \(error)"
        }
    }
}

/// A log as it was found.
public struct LogInspection: Sendable {
    /// One file of records.
    public struct Segment: Sendable {
        /// The file's.
        public let name: String
        /// The sequence that its name says.
        public let first: UInt64
        /// Where the next segment begins; nil for the newest.
        public let successor: UInt64?
        /// As far as it is looked at, in bytes.
        public let bytes: Int64
    }

    /// The directory, as the operator wrote it.
    public var path: String { directory.path }
    /// Oldest first.
    public let segments: [Segment]
    /// Everything else in the directory, sorted by name.
    public let others: [String]
    let directory: any Directory

    /// All segments together.
    public var bytes: Int64 { segments.reduce(0) { $0 + $1.bytes } }

    /// Those of `others` that hold what a crash tore off; recovery keeps it there (API.md §7).
    public var tornNames: [String] { others.filter(SegmentName.isTorn) }

    /// Looks at the log in the directory at `path`.
    public init(path: String) throws(InspectionFailure) {
        let directory: SystemDirectory
        do throws(SystemError) {
            directory = try SystemDirectory(reading: path)
        } catch {
            throw error.isMissing ? .missing(path: path) : .system(error)
        }
        try self.init(directory)
    }

    init(_ directory: any Directory) throws(InspectionFailure) {
        self.directory = directory
        do throws(SystemError) {
            var firsts: [UInt64] = []
            var others: [String] = []
            for name in try directory.names() {
                if let first = SegmentName.firstSequence(of: name) { firsts.append(first) } else { others.append(name) }
            }
            firsts.sort()
            self.others = others.sorted()
            var segments: [Segment] = []
            for (ordinal, first) in firsts.enumerated() {
                let successor = ordinal + 1 < firsts.count ? firsts[ordinal + 1] : nil
                let name = SegmentName.name(first: first)
                guard let file = try Self.open(name, in: directory) else { continue }
                let bytes = try successor == nil ? SegmentView.contentEnd(of: file) : file.size()
                segments.append(Segment(name: name, first: first, successor: successor, bytes: bytes))
            }
            self.segments = segments
        } catch {
            throw .system(error)
        }
        if segments.isEmpty { throw .noLog(path: directory.path) }
    }

    /// Nil where it is gone.
    static func open(_ name: String, in directory: any Directory) throws(SystemError) -> (any File)? {
        do throws(SystemError) {
            return try directory.open(name)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    /// The same without the newest segment, which may still grow.
    public var sealed: LogInspection { limited(to: 0..<max(0, segments.count - 1)) }

    /// The same without what is older than `moment` as a whole: times never decrease (API.md §7), so that nothing is
    /// wanted that stands before a segment whose first record is older.
    public func since(_ moment: Timestamp) -> LogInspection {
        let start = segments.lastIndex { segment in firstMoment(of: segment).map { $0 < moment } ?? false }
        return limited(to: (start ?? 0)..<segments.count)
    }

    /// When the first record of a segment was received; nil where its first line is not sound, or cannot be read.
    private func firstMoment(of segment: Segment) -> Timestamp? {
        let bytes = min(segment.bytes, Self.firstLineBytesMax)
        guard let file = try? Self.open(segment.name, in: directory) else { return nil }
        var lines = LineReader(file: SegmentView(file, to: bytes), size: bytes)
        guard let found = try? lines.next(), found.isWhole else { return nil }
        return ParsedLine(lines.bytes.span.extracting(found.range))?.receivedAt
    }

    /// How much of a segment is read to find its first line.
    private static let firstLineBytesMax: Int64 = 128 * 1_024

    /// The same, with some of its segments only.
    func limited(to range: Range<Int>) -> LogInspection {
        LogInspection(segments: Array(segments[range]), others: [], directory: directory)
    }

    private init(segments: [Segment], others: [String], directory: any Directory) {
        self.segments = segments
        self.others = others
        self.directory = directory
    }

    /// The bytes of `segment` as they were found; nil where it is gone.
    func view(of segment: Segment, passed: @escaping @Sendable (Int) -> Void) throws(SystemError) -> SegmentView? {
        try Self.open(segment.name, in: directory).map { SegmentView($0, to: segment.bytes, passed: passed) }
    }
}
