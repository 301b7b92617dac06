// The process as a whole: descriptor limit, signals, processors, standard streams.
//
// Promises: thin names for single calls. Signals arrive on the main Dispatch queue as closures, never in
// signal context. Must not know: what a signal means to the server.

import Dispatch
import Glibc

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

public enum Processors {
    /// Processors this process may run on; at least 1.
    public static var count: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
}

/// Signals as events on a queue. Held as long as they shall be heard.
public final class SignalListener: Sendable {
    private let sources: Confined<[any DispatchSourceSignal]>

    /// `handler` runs on `queue` for each of `signals`, whose default action is switched off.
    public init(_ signals: [Int32], queue: DispatchQueue, handler: @escaping @Sendable (Int32) -> Void) {
        let sources = signals.map { number in
            _ = signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            // `setEventHandler` is not marked @Sendable here; the closure is.
            source.setEventHandler(handler: { handler(number) })
            source.activate()
            return source
        }
        self.sources = Confined(sources, to: queue)
    }

    /// SIGTERM and SIGINT: both mean "stop in good order".
    public static let terminationSignals: [Int32] = [SIGTERM, SIGINT]

    /// A peer that went away is a value of `send`, not a signal.
    public static func ignoreBrokenPipes() { _ = signal(SIGPIPE, SIG_IGN) }
}

public enum StandardStream {
    /// One write(2) of the whole text to standard output.
    public static func output(_ text: String) { write(text, to: STDOUT_FILENO) }
    /// One write(2) of the whole text to standard error.
    public static func error(_ text: String) { write(text, to: STDERR_FILENO) }

    private static func write(_ text: String, to fd: Int32) {
        var text = text
        // Lost where the stream is closed: there is nobody left to tell.
        text.withUTF8 { bytes in _ = retryingOnInterrupt { unsafe Glibc.write(fd, bytes.baseAddress, bytes.count) } }
    }
}
