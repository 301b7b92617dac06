// What a running log is asked by whoever looks after the process: is the writer at work, what is it stopped by, how much is
// there; and which options it goes by from now on.
//
// Promises: no question waits for a disk, or for the writer. Must not know: who looks after the process.

import Platform

extension CallbackLog {
    /// Goes by these from now on: sizes, free space, retention. All else stays as it was opened.
    public func takeUp(_ options: LogOptions) {
        let (writer, upkeep, hasUpkeep) = (writer, upkeep, hasUpkeep)
        writer.queue.async { writer.withValue { $0.takeUp(options) } }
        guard hasUpkeep else { return }
        upkeep.queue.async { upkeep.withValue { $0.takeUp(options) } }
    }

    /// `answer` is called once the writer has done what it was given before.
    public func askWriter(_ answer: @escaping @Sendable () -> Void) { writer.queue.async(execute: answer) }

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
