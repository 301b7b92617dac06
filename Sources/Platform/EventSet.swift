// One epoll set and its wake-up: all that a loop waits for.
//
// Promises: level-triggered readiness by token, drained in batches; `Wakeup.signal` may be called from
// any thread. Tokens are the caller's; a token is never a descriptor, since descriptors are reused.
// Must not know: connections, listeners, deadlines.

import CPlatform
import Glibc

/// What a descriptor is watched for, and what it is ready for.
public struct Readiness: OptionSet, Sendable {
    /// The bits that the C shim has for them (CPlatform.h).
    public let rawValue: UInt32
    /// Of these bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Bytes, a connection or an end can be read.
    public static let readable = Readiness(rawValue: 1)  // CPLATFORM_READABLE
    /// Bytes would be taken.
    public static let writable = Readiness(rawValue: 2)  // CPLATFORM_WRITABLE
    /// Error or both directions closed: told, never asked for.
    public static let hangup = Readiness(rawValue: 4)  // CPLATFORM_HANGUP
    /// Only when adding: of several sets that watch one listener, wake few (EPOLLEXCLUSIVE).
    public static let exclusive = Readiness(rawValue: 8)  // CPLATFORM_EXCLUSIVE
    /// The peer sends no more, whether or not what it sent before has been read.
    public static let ended = Readiness(rawValue: 16)  // CPLATFORM_ENDED
}

/// An epoll set. Not Sendable: one loop owns it.
public final class EventSet {
    /// How many events one `wait` returns at most: the size of a drain.
    public static let eventsMax = 256

    private let fd: Int32
    private var events = [cplatform_event](repeating: cplatform_event(), count: EventSet.eventsMax)

    /// Fails where no descriptor is left (EMFILE, ENFILE).
    public init() throws(SystemError) {
        fd = cplatform_epoll_create()
        if fd < 0 { throw .latest("epoll_create1") }
    }

    deinit { close(fd) }

    /// `wait` gives `token` back. The descriptor is not in the set yet.
    public func add(_ descriptor: Int32, token: UInt64, interest: Readiness) throws(SystemError) {
        if cplatform_epoll_add(fd, descriptor, token, interest.rawValue) != 0 { throw .latest("epoll_ctl") }
    }

    /// The descriptor must be in the set; a failure would be our own fault.
    public func modify(_ descriptor: Int32, token: UInt64, interest: Readiness) {
        precondition(cplatform_epoll_modify(fd, descriptor, token, interest.rawValue) == 0)
    }

    /// The descriptor must be in the set.
    public func remove(_ descriptor: Int32) {
        precondition(cplatform_epoll_remove(fd, descriptor) == 0)
    }

    /// Waits at most `timeoutMilliseconds` (-1: for ever) and calls `body` for each ready token.
    public func wait(timeoutMilliseconds: Int32, _ body: (UInt64, Readiness) -> Void) {
        // The array outlives the call; the kernel writes at most its count.
        let count = unsafe events.withUnsafeMutableBufferPointer {
            unsafe cplatform_epoll_wait(fd, $0.baseAddress, Int32($0.count), timeoutMilliseconds)
        }
        // EINTR is the only failure a valid set has: nothing is ready, the caller comes again.
        guard count > 0 else { return }
        for index in 0..<Int(count) { body(events[index].token, Readiness(rawValue: events[index].ready)) }
    }
}

/// An eventfd: wakes a loop from any thread.
public final class Wakeup: Sendable {
    /// To be watched for `.readable`.
    public let descriptor: Int32

    /// Fails where no descriptor is left (EMFILE, ENFILE).
    public init() throws(SystemError) {
        descriptor = cplatform_eventfd()
        if descriptor < 0 { throw .latest("eventfd") }
    }

    deinit { close(descriptor) }

    /// Makes the descriptor readable. Never blocks; signals not yet taken add up to one.
    public func signal() {
        var one: UInt64 = 1
        _ = unsafe write(descriptor, &one, 8)
    }

    /// Makes the descriptor unreadable again.
    public func acknowledge() {
        var count: UInt64 = 0
        _ = unsafe read(descriptor, &count, 8)
    }
}
