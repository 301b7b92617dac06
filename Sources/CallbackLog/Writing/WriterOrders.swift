// What the writer is told to do beside the batches that the mailbox brings: append what others of this log record, look around,
// go by other options.
//
// Promises: on the writer queue only, like all of the writer. Must not know: who tells it.

import Platform

extension Writer {
    /// Appends `submissions`; true once all of them are durable.
    /// - Parameter isMakingRoom: they are stored though less than `freeBytesMin` is free: a segment goes for them.
    func append(whole submissions: [Submission], isMakingRoom: Bool = false) -> Bool {
        guard !isClosed else { return false }
        self.isMakingRoom = isMakingRoom
        defer { self.isMakingRoom = false }
        var isWhole = true
        append(submissions) { _, outcomes in
            for outcome in outcomes where outcome.sequence == nil && outcome != .superfluous { isWhole = false }
        }
        return isWhole
    }

    /// What a batch would find out before it writes, where none comes. Whoever asks the directory may know before the writer
    /// does, and the writer is the one to say it: it refuses what comes, and probes until that is over.
    func lookAround() {
        guard !isClosed, block == nil else { return }
        spaceCheckedMilliseconds = Self.never
        checkSpace()
        if stands() { checkOpenSegment() }
    }

    /// From now on it goes by these; what the log is made of stays.
    func takeUp(_ options: LogOptions) {
        self.options.takeUp(options)
        // What was enough before is perhaps too little now: asked before the next batch, not within a second.
        spaceCheckedMilliseconds = Self.never
    }
}
