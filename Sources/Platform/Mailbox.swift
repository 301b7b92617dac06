// What crosses between queues: a bounded list of Sendable messages and one wake-up.
//
// Promises: `post` never blocks beyond a short lock and never grows past its bound (invariant 7); it
// wakes the reader only when the list was empty, so a burst costs one wake-up. `take` empties it.
// Must not know: who reads it; the wake-up is a closure (an eventfd for a loop, `async` for the writer).

import Synchronization

/// A bounded queue of messages from any thread to one that takes all of them at once.
public final class Mailbox<Message: Sendable>: Sendable {
    // Seen by the compiler in the rooms that post, so that it can make code for their messages.
    @usableFromInline struct State {
        @usableFromInline var messages: [Message] = []
        @usableFromInline var weight = 0
        @usableFromInline init() {}
    }
    @usableFromInline let state = Mutex(State())
    @usableFromInline let weightMax: Int
    @usableFromInline let wake: @Sendable () -> Void

    /// `weightMax` bounds the sum of the weights waiting; the unit is the caller's (messages, bytes).
    public init(weightMax: Int, wake: @escaping @Sendable () -> Void) {
        self.weightMax = weightMax
        self.wake = wake
    }

    /// False when the bound would be passed: the message was not taken.
    @inlinable
    public func post(_ message: consuming sending Message, weight: Int = 1) -> Bool {
        let message = message
        let outcome = state.withLock { state -> (taken: Bool, wasEmpty: Bool) in
            guard state.weight + weight <= weightMax else { return (false, false) }
            state.weight += weight
            state.messages.append(message)
            return (true, state.messages.count == 1)
        }
        if outcome.wasEmpty { wake() }
        return outcome.taken
    }

    /// Everything that waits, oldest first. `spare` (emptied) becomes the list's new storage, so that
    /// two arrays go back and forth and none is allocated.
    @inlinable
    public func take(into spare: inout [Message]) {
        spare.removeAll(keepingCapacity: true)
        state.withLock { state in
            swap(&state.messages, &spare)
            state.weight = 0
        }
    }
}
