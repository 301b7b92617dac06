// What a running log is asked by whoever looks after the process: is the writer at work, what is it stopped by, how much is
// there; and which options it goes by from now on.
//
// Promises: no question waits for the writer, and only `readiness` for a disk. What is found out by asking is told as what the
// writer finds, once: a disk that hangs by whoever finds it first, since the writer hangs with it; all else by the writer.
// Must not know: who looks after the process.

import Platform
import Synchronization

extension CallbackLog {
    /// Goes by these from now on: sizes, free space, retention. All else stays as it was opened.
    public func takeUp(_ options: LogOptions) {
        let (writer, upkeep, hasUpkeep) = (writer, upkeep, hasUpkeep)
        writer.queue.async { writer.withValue { $0.takeUp(options) } }
        guard hasUpkeep else { return }
        upkeep.queue.async { upkeep.withValue { $0.takeUp(options) } }
    }

    /// `answer` is called once the writer has done what it was given before. It is awake by that: it looks around itself, too.
    public func askWriter(_ answer: @escaping @Sendable () -> Void) {
        writer.queue.async { [writer] in
            answer()
            writer.withValue { $0.lookAround() }
        }
    }

    /// Whether it takes records now. Asks the directory, too: an idle writer would not notice.
    public func readiness(options: LogOptions) -> LogReadiness {
        var block = shared.published.withLock { $0.block }
        if block == nil {
            if (try? directory.isGone()) ?? false {
                block = .directoryGone(path: directory.path)
            } else if let free = try? directory.freeBytes(), free < options.freeBytesMin {
                block = .space(freeBytes: free, freeBytesMin: options.freeBytesMin)
            }
            haveWriterLook()
        }
        let busy = busyMilliseconds
        if busy >= Self.stalledMilliseconds { noteStall() }
        return LogReadiness(block: block, busyMilliseconds: busy)
    }

    /// So that it says what was found, refuses what comes, and finds out when it is mended; and looks at its segment.
    private func haveWriterLook() {
        // One at a time: the writer may hang.
        guard !isLookDue.exchange(true, ordering: .relaxed) else { return }
        writer.queue.async { [writer, weak self] in
            self?.isLookDue.store(false, ordering: .relaxed)
            writer.withValue { $0.lookAround() }
        }
    }

    /// A record was not acknowledged in `stalledMilliseconds`: where that is since the disk hangs it is said, once for each time.
    public func noteStall() {
        guard shared.published.withLock({ $0.block }) == nil else { return }
        shared.isStalled.withLock { isStalled in
            // Under the lock: the writer takes it when its batch has ended, and says that.
            let busy = busyMilliseconds
            guard !isStalled, busy >= Self.stalledMilliseconds - Self.stallSlackMilliseconds else { return }
            isStalled = true
            observe(.stalled(milliseconds: busy))
        }
    }

    /// How long the disk has not answered, in milliseconds; nil while it does.
    public var stallMilliseconds: Int64? {
        let busy = busyMilliseconds
        return busy >= Self.stalledMilliseconds || shared.isStalled.withLock({ $0 }) ? busy : nil
    }

    /// True while the writer is inside a system call on the disk: however long that takes, it is not the writer's fault.
    public var isWriterAtDisk: Bool { shared.writerDisk.isWaiting }

    /// Why it takes nothing, as the writer knows; nil while it does.
    public var block: LogBlock? { shared.published.withLock { $0.block } }

    /// How long the writer has been in one batch, checkpoint or probe, in milliseconds; 0 while it is in none.
    public var busyMilliseconds: Int64 {
        let since = shared.busySinceMilliseconds.load(ordering: .acquiring)
        return since == 0 ? 0 : max(0, time.monotonicMilliseconds() - since)
    }

    /// Durable records that retention has left: sequences are dense.
    public var recordCount: UInt64 {
        shared.published.withLock { published in
            published.durable >= published.firstSequence ? published.durable - published.firstSequence + 1 : 0
        }
    }
}
