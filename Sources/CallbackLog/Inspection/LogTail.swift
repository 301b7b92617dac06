// The newest end of a log, read on as it grows: what `log cat --follow` shows.
//
// Promises: every sound record once, in order, across segments. A line that is still being written is waited for;
// an unsound one that others stand behind is passed over. Where a failed write made the server begin a segment
// anew below what was shown already (invariant 3), that segment is shown from its beginning: the later record of a
// sequence counts. No file is held open between two looks.
// Must not know: when to look again.

import Platform

/// Follows a log's newest records in its files.
public struct LogTail {
    private let directory: any Directory
    private var segment: String
    private var first: UInt64
    /// Of the segment, the newest record shown.
    private var last: UInt64
    /// Where the next line begins.
    private var position: Int64 = 0
    /// The bytes before `position`: a file of the same name that does not have them is another one.
    private var shown: [UInt8] = []
    private static let shownBytesMax = 64
    /// Unsound places that were passed over.
    public private(set) var unsoundCount = 0

    /// From the beginning of the newest segment of `log`.
    public init(_ log: LogInspection) {
        directory = log.directory
        first = log.segments.last?.first ?? 1
        last = first - 1
        segment = SegmentName.name(first: first)
    }

    /// Shows `visit` what came since the last time.
    /// - Throws: what `visit` throws.
    public mutating func advance<Failure: Error>(
        visit: (InspectedRecord, Span<UInt8>) throws(Failure) -> Void
    ) throws(ScanFailure<Failure>) {
        var successor: UInt64?
        repeat {
            do throws(SystemError) {
                if try directory.isGone() { throw SystemError(operation: "open", path: directory.path, code: SystemError.missing) }
                // Asked before the segment is read: once there is one, it grows no more.
                successor = try directory.names().compactMap { SegmentName.firstSequence(of: $0) }.filter { $0 > first }.min()
            } catch {
                throw .system(error)
            }
            try readOn(to: successor, visit)
            if let successor {
                first = successor
                last = first - 1
                segment = SegmentName.name(first: successor)
                position = 0
                shown = []
            }
        } while successor != nil
    }

    private mutating func readOn<Failure: Error>(
        to successor: UInt64?, _ visit: (InspectedRecord, Span<UInt8>) throws(Failure) -> Void
    ) throws(ScanFailure<Failure>) {
        var stopped: Failure?
        do throws(SystemError) {
            // Retention took it, or it is being replaced: another look tells.
            guard let file = try LogInspection.open(segment, in: directory) else { return }
            if try !isSame(file) {
                position = 0
                last = first - 1
                shown = []
            }
            let end = try SegmentView.contentEnd(of: file)
            guard let start = try SegmentView.contentStart(of: file, from: position, to: end) else { return }
            let size = end - start
            var lines = LineReader(file: SegmentView(file, from: start, to: end), size: size)
            var isUnsound = false
            while let found = try lines.next() {
                let bytes = lines.bytes.span.extracting(found.range)
                guard found.isWhole, let line = ParsedLine(bytes), line.sequence ?? .max > last else {
                    // Counts only when something sound stands behind it: the last line may not be whole yet.
                    isUnsound = true
                    continue
                }
                position = start + found.end
                if isUnsound { unsoundCount += 1 }
                isUnsound = false
                guard let sequence = line.sequence else { continue }
                if let successor, sequence >= successor { break }
                last = sequence
                do throws(Failure) {
                    try visit(InspectedRecord(segment: segment, offset: start + found.offset, sequence: sequence, line: line), bytes)
                } catch {
                    stopped = error
                    break
                }
            }
            try remember(file)
        } catch {
            throw .system(error)
        }
        if let stopped { throw .visitor(stopped) }
    }

    private mutating func remember(_ file: any File) throws(SystemError) {
        let count = Int(min(position, Int64(Self.shownBytesMax)))
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try file.read(at: position - Int64(count), count: count, into: &bytes, from: 0)
        shown = Array(bytes[..<got])
    }

    private func isSame(_ file: any File) throws(SystemError) -> Bool {
        var bytes = [UInt8](repeating: 0, count: shown.count)
        let got = try file.read(at: position - Int64(shown.count), count: shown.count, into: &bytes, from: 0)
        return got == shown.count && bytes == shown
    }
}
