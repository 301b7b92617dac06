// The process as a whole: descriptor limit, signals, processors, standard streams.
//
// Promises: thin names for single calls. Signals arrive on the main Dispatch queue as closures, never in
// signal context. Must not know: what a signal means to the server.

import CPlatform
import Dispatch
import Glibc

/// How many descriptors this process may have.
public enum DescriptorLimit {
    /// Raises RLIMIT_NOFILE to its hard limit and returns what is then in force.
    public static func raiseToHardLimit() -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit) == 0 else { return 1_024 }
        let soft = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        if unsafe setrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit) != 0 { limit.rlim_cur = soft }
        return Int(clamping: limit.rlim_cur)
    }
}

/// What Dispatch makes when it is first wanted.
public enum DispatchTimers {
    /// Has Dispatch open the descriptor that all of its timers need. Without one left for it the first timer never fires, nor
    /// does any other until somebody sets a new one.
    public static func prepare() { DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(1)) {} }
}

/// What this process may run on.
public enum Processors {
    /// Processors this process may run on; at least 1.
    public static var count: Int { max(1, Int(cplatform_processor_count())) }
}

/// Signals as events on a queue. Held as long as they shall be heard.
public final class SignalListener: Sendable {
    private let sources: Confined<[any DispatchSourceSignal]>

    /// `handler` runs on `queue` for each of `signals`. To be made on the first thread before there are others, unless they
    /// were blocked before: these inherit that the signals are blocked, so that one that comes early waits and is not lost.
    /// When this returns, they are heard.
    public init(_ signals: [Int32], queue: DispatchQueue, handler: @escaping @Sendable (Int32) -> Void) {
        Self.block(signals)
        let heard = DispatchSemaphore(value: 0)
        let sources = signals.map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            // These setters are not marked @Sendable here; the closures are.
            source.setEventHandler(handler: { handler(number) })
            source.setRegistrationHandler(handler: { heard.signal() })
            source.activate()
            return source
        }
        for _ in signals { heard.wait() }
        self.sources = Confined(sources, to: queue)
    }

    /// Lets signals wait until somebody listens. On the first thread before there are others.
    public static func block(_ signals: [Int32]) {
        var blocked = sigset_t()
        unsafe sigemptyset(&blocked)
        for number in signals { unsafe sigaddset(&blocked, number) }
        unsafe pthread_sigmask(SIG_BLOCK, &blocked, nil)
    }

    /// SIGTERM and SIGINT: both mean "stop in good order".
    public static let terminationSignals: [Int32] = [SIGTERM, SIGINT]

    /// SIGHUP: "take up the configuration".
    public static let reloadSignal: Int32 = SIGHUP

    /// A peer that went away is a value of `send`, not a signal.
    public static func ignoreBrokenPipes() { _ = signal(SIGPIPE, SIG_IGN) }
}

/// Whole texts to the standard streams, and what these are.
public enum StandardStream {
    /// One write(2) of the whole text to standard output.
    public static func output(_ text: String) { write(text, to: STDOUT_FILENO) }
    /// One write(2) of the whole text to standard error.
    public static func error(_ text: String) { write(text, to: STDERR_FILENO) }

    /// True where standard error is what `$JOURNAL_STREAM` names, `DEVICE:INODE` in decimal digits (systemd.exec(5)): then the
    /// journal reads it, and nobody has redirected it since.
    public static func isErrorJournal(_ journalStream: String?) -> Bool {
        guard let parts = journalStream?.split(separator: ":", omittingEmptySubsequences: false), parts.count == 2,
            let device = UInt64(parts[0]), let inode = UInt64(parts[1])
        else { return false }
        var status = stat()
        return unsafe fstat(STDERR_FILENO, &status) == 0 && UInt64(status.st_dev) == device && UInt64(status.st_ino) == inode
    }

    private static func write(_ text: String, to fd: Int32) {
        var text = text
        // Lost where the stream is closed: there is nobody left to tell.
        text.withUTF8 { bytes in _ = retryingOnInterrupt { unsafe Glibc.write(fd, bytes.baseAddress, bytes.count) } }
    }
}
