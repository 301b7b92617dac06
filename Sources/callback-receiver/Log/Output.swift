// What a command writes to standard output: gathered, then written in pieces.
//
// Promises: bounded; nothing is lost but where nobody reads any more, and that is told apart from a disk that is
// full. Must not know: what is written.

import Platform

/// Why no more can be written.
enum OutputEnd: Error {
    /// The reader of the pipe went away, as `head` does: no failure.
    case readerLeft
    case failed(SystemError)
    /// There is nothing more that is wanted.
    case done

    /// What the command ends with; nil where that is well.
    var failure: CommandFailure? {
        guard case .failed(let error) = self else { return nil }
        return .general("cannot write to standard output: \(error.reason); what was written is not complete")
    }
}

struct Output {
    private static let bytesMax = 64 * 1_024
    /// Append lines here, then call `lineEnded`.
    var bytes: [UInt8] = []

    /// True where the work is worth doing even though nobody reads about it.
    private let goesOnUnread: Bool

    init(goesOnUnread: Bool = false) {
        self.goesOnUnread = goesOnUnread
        SignalListener.ignoreBrokenPipes()
    }

    /// Appends a line of text.
    mutating func say(_ line: String) throws(OutputEnd) {
        bytes.append(contentsOf: (printable(line) + "\n").utf8)
        try lineEnded()
    }

    /// Writes what has gathered, once it is enough.
    mutating func lineEnded() throws(OutputEnd) {
        if bytes.count >= Self.bytesMax { try flush() }
    }

    mutating func flush() throws(OutputEnd) {
        guard !bytes.isEmpty else { return }
        do throws(SystemError) {
            try StandardOutput.write(bytes)
        } catch {
            guard error.isBrokenPipe else { throw .failed(error) }
            guard goesOnUnread else { throw .readerLeft }
        }
        bytes.removeAll(keepingCapacity: true)
    }

    /// Writes what is left. That nobody reads it is well.
    mutating func finish() throws(CommandFailure) {
        do throws(OutputEnd) {
            try flush()
        } catch {
            if let failure = error.failure { throw failure }
        }
    }
}
