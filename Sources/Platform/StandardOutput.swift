// Standard output as a command writes its results to it, and the terminal that a person may sit at.
//
// Promises: everything is written or the failure is told; a reader that went away is a value, never a signal
// (SignalListener.ignoreBrokenPipes). Must not know: what is written.

import Glibc

/// Standard output for as much as is wanted of it.
public enum StandardOutput {
    /// Writes all of `bytes`.
    public static func write(_ bytes: [UInt8]) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            // The rest lies within the array: `done` is below its count.
            let count = unsafe bytes.withUnsafeBytes { all in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: all[done...])
                return retryingOnInterrupt { unsafe Glibc.write(STDOUT_FILENO, rest.baseAddress, rest.count) }
            }
            if count < 0 { throw .latest("write", "standard output") }
            done += count
        }
    }

    /// Waits for so long; returns early, and true, where nobody reads any more.
    public static func waitForReaderToLeave(milliseconds: Int32) -> Bool {
        // A pipe or socket whose reader went says so unasked (poll(2): POLLERR, POLLHUP).
        var waited = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
        let count = unsafe poll(&waited, 1, milliseconds)
        return count > 0 && waited.revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0
    }
}

/// Whether a person looks on.
public enum Terminal {
    /// True where standard error is a terminal.
    public static var isAtStandardError: Bool { isatty(STDERR_FILENO) == 1 }

    /// True where standard output is one.
    public static var isAtStandardOutput: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Characters in a row of that terminal; 80 where it does not say.
    public static var columns: Int {
        var size = winsize()
        guard unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}

extension SystemError {
    /// True for EPIPE: nobody reads any more.
    public var isBrokenPipe: Bool { code == EPIPE }
    /// True for EACCES and EPERM.
    public var isForbidden: Bool { code == EACCES || code == EPERM }
}
