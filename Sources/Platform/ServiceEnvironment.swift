// What a service manager hands to a process in its environment: where it wants to be told what becomes of it
// (sd_notify(3)), how often it wants to hear that it is alive (sd_watchdog_enabled(3)), and sockets (sd_listen_fds(3)).
//
// Promises: what is meant for another process, or makes no sense, counts as not there; `take` leaves nothing of it to
// children. Must not know: what is told, what the sockets are for.

import Glibc

/// What the service manager tells a service in its environment.
public struct ServiceEnvironment: Sendable, Equatable {
    /// A descriptor that was open when the process began, and what the service manager calls it.
    public struct HandedSocket: Sendable, Equatable {
        /// FileDescriptorName=, or what sd_listen_fds(3) gives where there is none.
        public let name: String
        /// Open, and from here on ours to close.
        public let descriptor: Int32
    }

    /// More are not looked at: a service has two.
    public static let socketsMax = 64
    /// SD_LISTEN_FDS_START: where the descriptors begin.
    private static let firstDescriptor: Int32 = 3
    /// What systemd calls a socket for which it has no name.
    static let namelessSocket = "unknown"

    private static let names = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID"]

    /// A path, or `@` and a name (unix(7), abstract); nil where nobody wants to be told.
    public private(set) var notifyAddress: String?
    /// Within this time it must be told that the process is alive, in microseconds; nil where nobody waits for that.
    public private(set) var watchdogMicroseconds: Int64?
    /// In the order of their descriptors.
    public private(set) var sockets: [HandedSocket] = []

    /// Of a process that no service manager started.
    public init() {}

    /// What these variables say to the process of this number.
    public init(variables: [String: String], processID: Int32) {
        if let address = variables["NOTIFY_SOCKET"], !address.isEmpty { notifyAddress = address }
        let isWatched = variables["WATCHDOG_PID"].map { Int32($0) == processID } ?? true
        if isWatched, let text = variables["WATCHDOG_USEC"], let microseconds = Int64(text), microseconds > 0 {
            watchdogMicroseconds = microseconds
        }
        guard variables["LISTEN_PID"].flatMap({ Int32($0) }) == processID, let count = variables["LISTEN_FDS"].flatMap({ Int32($0) }), count > 0
        else { return }
        let names = variables["LISTEN_FDNAMES"]?.split(separator: ":", omittingEmptySubsequences: false) ?? []
        for offset in 0..<min(count, Int32(Self.socketsMax)) {
            let name = Int(offset) < names.count ? String(names[Int(offset)]) : Self.namelessSocket
            sockets.append(HandedSocket(name: name, descriptor: Self.firstDescriptor + offset))
        }
    }

    /// What was handed to this process; once, before there are threads: it changes the environment. No program that is
    /// started later finds the variables, or inherits the descriptors.
    public static func take() -> ServiceEnvironment {
        var taken = ServiceEnvironment(variables: ProcessEnvironment.variables, processID: getpid())
        for name in names { unsafe unsetenv(name) }
        // One that is not open was not handed over.
        taken.sockets.removeAll { fcntl($0.descriptor, F_SETFD, FD_CLOEXEC) != 0 }
        return taken
    }
}
