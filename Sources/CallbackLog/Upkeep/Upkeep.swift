// What a log does beside taking records: index files for what was sealed, and retention. On a queue of its own.
//
//     woken by: a start, a sealed segment, a suspicion, a timer
//     suspected segments ─▶ read again        segments without an index file ─▶ made, newest first
//     retention (Retention.swift)             supersessions (SupersessionUpkeep.swift)        then it rests
//
// Promises: off the data path: writer and readers never wait for it, and what it publishes takes the place of what
// was there in one step. What fails is said, and tried again after a minute. It never touches the open segment.
// Must not know: batches, requests.

import Dispatch
import Platform
import Synchronization

/// State of the upkeep queue; touched by nothing else.
final class Upkeep {
    /// After a failure it rests so long, and so long a segment that was read again on suspicion: it is not read again sooner.
    static let restMilliseconds = 60_000
    /// The pace of retention by age, whose unit is a day.
    static let retentionMilliseconds = 3_600_000

    let directory: any Directory
    let shared: Shared
    private(set) var options: LogOptions
    let time: LogTime
    let observe: @Sendable (LogNotice) -> Void
    let supersessions: SupersessionKeeper
    private let maker: IndexMaker
    var hash: KeyedHash { maker.hash }
    /// Runs a closure with this upkeep, on its queue, after so many milliseconds.
    private let later: @Sendable (Int, @escaping @Sendable (Upkeep) -> Void) -> Void
    /// Seals the open segment where its first record is older than this many milliseconds; nil: whatever its age.
    /// Returns at once; upkeep is woken when it is done.
    let seal: @Sendable (Int64?) -> Void
    /// Runs a closure on the writer's queue, and waits for it.
    let withWriter: @Sendable (() -> Void) -> Void
    /// Appends records, and waits until they are durable: false where they are not.
    let append: @Sendable ([Submission]) -> Bool

    /// Before this, in monotonic milliseconds, retention has nothing to gain.
    var retentionRestsUntil = Int64.min
    /// When a segment was last read again on suspicion, in monotonic milliseconds, if it rests. For a minute each.
    private var reread: [UInt64: Int64] = [:]
    /// When the next run is due, in monotonic milliseconds; nil while none is.
    private var runDueMilliseconds: Int64?

    init(
        directory: any Directory, shared: Shared, supersessions: SupersessionKeeper, maker: IndexMaker, options: LogOptions, time: LogTime,
        observe: @escaping @Sendable (LogNotice) -> Void, seal: @escaping @Sendable (Int64?) -> Void,
        withWriter: @escaping @Sendable (() -> Void) -> Void, append: @escaping @Sendable ([Submission]) -> Bool,
        later: @escaping @Sendable (Int, @escaping @Sendable (Upkeep) -> Void) -> Void
    ) {
        self.directory = directory
        self.shared = shared
        self.supersessions = supersessions
        self.maker = maker
        self.options = options
        self.time = time
        self.observe = observe
        self.seal = seal
        self.withWriter = withWriter
        self.append = append
        self.later = later
    }

    /// Does what there is to do.
    func run() {
        guard !shared.isClosing.load(ordering: .relaxed) else { return }
        var isWhole = rereadSuspects()
        isWhole = indexSegments() && isWhole
        isWhole = retain() && isWhole
        isWhole = keepSupersessions() && isWhole
        Memory.giveBack()
        if !isWhole {
            scheduleRun(Self.restMilliseconds)
        } else if options.retentionMilliseconds != nil {
            scheduleRun(Self.retentionMilliseconds)
        }
    }

    /// From now on it goes by these: what is to go now, goes.
    func takeUp(_ options: LogOptions) {
        self.options.takeUp(options)
        retentionRestsUntil = .min
        run()
    }

    private func scheduleRun(_ milliseconds: Int) {
        let due = time.monotonicMilliseconds() + Int64(milliseconds)
        if let runDueMilliseconds, runDueMilliseconds <= due { return }
        runDueMilliseconds = due
        later(milliseconds) {
            // One that was due earlier has taken its place.
            guard $0.runDueMilliseconds == due else { return }
            $0.runDueMilliseconds = nil
            $0.run()
        }
    }

    // MARK: indexes

    /// Reads suspected segments again: what is damaged is named, and the rest found without stumbling over it.
    private func rereadSuspects() -> Bool {
        var isWhole = true
        let now = time.monotonicMilliseconds()
        reread = reread.filter { now - $0.value < Int64(Self.restMilliseconds) }
        for first in shared.takeSuspects(butFor: Set(reread.keys)).sorted() {
            guard let segment = shared.sealed(first) else {
                // Damage in the open segment: it is closed as it is (API.md §7), and read when it is sealed.
                if shared.published.withLock({ $0.open.first == first }) { seal(nil) }
                continue
            }
            reread[first] = now
            observe(.reread(segment: segment.name))
            isWhole = index(segment) && isWhole
        }
        return isWhole && !shared.hasSuspects
    }

    /// Makes the index files that are missing, newest first, since what was sent last is sent again first.
    func indexSegments() -> Bool {
        var tried: Set<UInt64> = []
        while !shared.isClosing.load(ordering: .relaxed) {
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
        // Until the new index is published the old one is asked, whose name leads to the new file before that.
        if case .onDisk(let index) = segment.index { _ = try? shared.files.file(of: index) }
        do throws(SystemError) {
            let shared = self.shared
            let made = try maker.make(first: segment.first, successor: segment.successor, failure: &failure) {
                shared.isClosing.load(ordering: .relaxed)
            }
            publish(made)
            // The name of the index leads to another file now.
            shared.files.forget(segment.first)
            for place in made.damages where !segment.damages.contains(place) { observe(.damaged(place)) }
        } catch {
            failure = error
            if error.isMissing { lose(segment, as: segment.gone) }
            if error.isPermission {
                lose(segment, as: segment.unreadable)
                // It is looked at again after a rest, whether or not somebody asks for it.
                shared.suspect(segment.first)
            }
        }
        if shared.isClosing.load(ordering: .relaxed) { return false }
        if let failure { observe(.indexFailed("\(failure)")) }
        return failure == nil
    }

    /// Puts it in the place of what was there. Not while the writer, or the keeper of expectations, concludes from the records
    /// that are there what is expected: that would be published behind what is said of these.
    private func publish(_ segment: SealedSegment) {
        withWriter { if shared.published.withLock({ $0.replace(segment) }) { shared.wakeExpectations() } }
    }

    /// Its file is gone, or may not be read: that is damage, however sound its bytes are, until somebody has seen to it.
    private func lose(_ segment: SealedSegment, as lost: SealedSegment) {
        guard segment.damages != lost.damages || lost.recordCount == 0 && segment.recordCount != 0 else { return }
        publish(lost)
        for place in lost.damages where !segment.damages.contains(place) { observe(.damaged(place)) }
    }
}
