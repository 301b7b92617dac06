// What happens to the names in a directory, as it happens (inotify(7)).
//
//     an event, little-endian as the machine is:
//     wd 4 · mask 4 · cookie 4 · length 4 · name, `length` bytes with the NULs that fill it up
//
// Promises: nothing is asked again and again: the kernel tells, and the handler runs on its queue. Names that were made,
// removed, renamed, written to the end or given other permissions are told; where the kernel lost some (its queue is
// bounded), that is told instead; and when the directory itself goes, that, and nothing after it. What is read between the
// start of a watch and the first change it tells is therefore complete.
// Must not know: what is in the directory.

import Dispatch
import Glibc

/// Tells what happens to the names in a directory (inotify(7)).
public final class DirectoryWatch: Sendable {
    /// What happened since the last call of the handler.
    public struct Changes: Sendable {
        /// Of the files that it happened to.
        public var names: Set<String> = []
        /// Events were lost: anything may have happened.
        public var isOverflown = false
        /// The directory was removed, moved or unmounted: this watch tells nothing any more. Of one that somebody holds open
        /// the removal is told only when he lets go; its parent tells it at once.
        public var isEnded = false

        /// Nothing has happened.
        public init() {}
    }

    /// What is watched for, beside the end of the directory itself.
    public enum Interest: Sendable {
        /// Names that come and go.
        case entries
        /// These, files that were written to the end, and permissions. Not writing as such: a log in the directory is written
        /// all the time.
        case contents

        fileprivate var mask: UInt32 {
            let entries = UInt32(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
            return self == .entries ? entries : entries | UInt32(IN_CLOSE_WRITE | IN_ATTRIB)
        }
    }

    private static let ends = UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)
    private static let headerBytes = 16
    /// inotify(7): an event with the longest name fits 16 + NAME_MAX + 1 bytes; this takes many.
    private static let readBytesMax = 16 * 1_024

    private let source: Confined<any DispatchSourceRead>

    /// Watches the directory at `path`, from now on and until this object goes. The handler runs on `queue`, which is
    /// serial.
    public init(
        _ path: String, for interest: Interest = .contents, queue: DispatchQueue, handler: @escaping @Sendable (Changes) -> Void
    ) throws(SystemError) {
        let fd = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard fd >= 0 else { throw .latest("inotify_init1") }
        guard unsafe inotify_add_watch(fd, path, interest.mask) >= 0 else {
            let error = SystemError.latest("inotify_add_watch", path)
            close(fd)
            throw error
        }
        let source = DispatchSource.makeReadSource(fileDescriptor: fd, queue: queue)
        // These setters are not marked @Sendable here; the closures are.
        let take: @Sendable () -> Void = {
            let changes = Self.read(fd)
            if changes.isEnded || changes.isOverflown || !changes.names.isEmpty { handler(changes) }
        }
        let end: @Sendable () -> Void = { close(fd) }
        source.setEventHandler(handler: take)
        source.setCancelHandler(handler: end)
        source.activate()
        self.source = Confined(source, to: queue)
    }

    deinit {
        source.queue.async { [source] in source.withValue { $0.cancel() } }
    }

    /// Everything that waits to be read.
    private static func read(_ fd: Int32) -> Changes {
        var changes = Changes()
        var buffer = [UInt8](repeating: 0, count: readBytesMax)
        while true {
            // The kernel writes at most the buffer's count, and whole events only.
            let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                retryingOnInterrupt { unsafe Glibc.read(fd, bytes.baseAddress, bytes.count) }
            }
            // EAGAIN: that was all. Any other failure of a descriptor that is ours: nothing more can be known.
            guard count > 0 else {
                if count < 0, errno != EAGAIN { changes.isOverflown = true }
                return changes
            }
            take(buffer.span.extracting(0..<count), into: &changes)
        }
    }

    private static func take(_ events: Span<UInt8>, into changes: inout Changes) {
        var position = 0
        while events.count - position >= headerBytes {
            let mask = LittleEndian.load32(events, at: position + 4)
            let length = Int(LittleEndian.load32(events, at: position + 12))
            position += headerBytes
            guard length <= events.count - position else { break }
            if mask & UInt32(IN_Q_OVERFLOW) != 0 { changes.isOverflown = true }
            if mask & ends != 0 { changes.isEnded = true }
            var name: [UInt8] = []
            for index in position..<position + length where events[index] != 0 { name.append(events[index]) }
            if !name.isEmpty { changes.names.insert(String(decoding: name, as: UTF8.self)) }
            position += length
        }
    }
}
