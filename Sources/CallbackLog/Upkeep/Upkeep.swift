// What a log does beside taking records: index files for what was sealed, and retention. On a queue of its own.
//
//     woken by: a start, a sealed segment, a suspicion, a timer
//     suspected segments ─▶ read again        segments without an index file ─▶ made, newest first
//     retention (Retention.swift)             then it rests
//
// Promises: off the data path: writer and readers never wait for it, and what it publishes takes the place of what
// was there in one step. What fails is said, and tried again after a minute. It never touches the open segment.
// Must not know: batches, requests.

import Dispatch
import Platform

/// State of the upkeep queue; touched by nothing else.
final class Upkeep {
    /// After a failure it rests so long, and so long a segment that was read again on suspicion is trusted.
    static let restMilliseconds = 60_000
    /// The pace of retention by age, whose unit is a day.
    static let retentionMilliseconds = 3_600_000

    let directory: any Directory
    let shared: Shared
    let options: LogOptions
    let time: LogTime
    let observe: @Sendable (LogEvent) -> Void
    private let maker: IndexMaker
    /// Runs a closure with this upkeep, on its queue, after so many milliseconds.
    private let later: @Sendable (Int, @escaping @Sendable (Upkeep) -> Void) -> Void
    /// Seals the open segment where its first record is older than this many milliseconds; nil: whatever its age.
    /// Returns at once; upkeep is woken when it is done.
    let seal: @Sendable (Int64?) -> Void

    /// When a segment was last read again on suspicion, in monotonic milliseconds. As many as there are segments.
    private var reread: [UInt64: Int64] = [:]
    /// When the earliest timer fires that is to do something, in monotonic milliseconds.
    private var timerDueMilliseconds: Int64?
    private var isClosed = false

    init(
        directory: any Directory, shared: Shared, maker: IndexMaker, options: LogOptions, time: LogTime,
        observe: @escaping @Sendable (LogEvent) -> Void, seal: @escaping @Sendable (Int64?) -> Void,
        later: @escaping @Sendable (Int, @escaping @Sendable (Upkeep) -> Void) -> Void
    ) {
        self.directory = directory
        self.shared = shared
        self.maker = maker
        self.options = options
        self.time = time
        self.observe = observe
        self.seal = seal
        self.later = later
    }

    /// Does what there is to do.
    func run() {
        guard !isClosed else { return }
        var isWhole = rereadSuspects()
        isWhole = indexSegments() && isWhole
        isWhole = retain() && isWhole
        Memory.giveBack()
        if !isWhole {
            scheduleRun(Self.restMilliseconds)
        } else if options.retentionMilliseconds != nil {
            scheduleRun(Self.retentionMilliseconds)
        }
    }

    /// No timer does anything after it.
    func close() { isClosed = true }

    /// A run that is due earlier takes the place of the one that was waited for.
    private func scheduleRun(_ milliseconds: Int) {
        let due = time.monotonicMilliseconds() + Int64(milliseconds)
        if let timerDueMilliseconds, timerDueMilliseconds <= due { return }
        timerDueMilliseconds = due
        later(milliseconds) {
            guard $0.timerDueMilliseconds == due else { return }
            $0.timerDueMilliseconds = nil
            $0.run()
        }
    }

    // MARK: indexes

    /// Reads suspected segments again: what is damaged is named, and the rest found without stumbling over it.
    private func rereadSuspects() -> Bool {
        var isWhole = true
        for first in shared.takeSuspects().sorted() {
            let now = time.monotonicMilliseconds()
            if let before = reread[first], now - before < Int64(Self.restMilliseconds) { continue }
            guard let segment = shared.published.withLock({ $0.sealed.first { $0.first == first } }) else {
                // Damage in the open segment: it is closed as it is (API.md §7), and read when it is sealed.
                if shared.has(first) { seal(nil) }
                continue
            }
            reread[first] = now
            observe(.reread(segment: segment.name))
            isWhole = index(segment) && isWhole
        }
        return isWhole
    }

    /// Makes the index files that are missing, newest first, since what was sent last is sent again first.
    private func indexSegments() -> Bool {
        var tried: Set<UInt64> = []
        while !isClosed {
            let next = shared.published.withLock { published in
                published.sealed.last { segment in
                    if case .onDisk = segment.index { return false }
                    return !tried.contains(segment.first)
                }
            }
            guard let next else { break }
            tried.insert(next.first)
            _ = index(next)
        }
        return shared.published.withLock { published in
            published.sealed.allSatisfy { if case .onDisk = $0.index { true } else { false } }
        }
    }

    /// Makes the index of a sealed segment anew. False where there is no file of it now.
    private func index(_ segment: SealedSegment) -> Bool {
        var failure: SystemError?
        do throws(SystemError) {
            let made = try maker.make(first: segment.first, successor: segment.successor, failure: &failure)
            shared.published.withLock { $0.replace(made) }
            // The name of the index leads to another file now.
            shared.files.forget(segment.first)
            for place in made.damages where !segment.damages.contains(place) { observe(.damaged(place)) }
        } catch {
            failure = error
        }
        if let failure { observe(.indexFailed("\(failure)")) }
        return failure == nil
    }
}
