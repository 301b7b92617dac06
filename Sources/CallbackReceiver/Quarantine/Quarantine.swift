// The quarantine's door: what was refused is kept, can be looked at, and is taken out again.
//
// Promises: safe from any thread; never waits for the disk on a loop. At most `waitingMax` wait to be kept: more are not
// taken, and whoever sent them is told to send them again.
// Must not know: why a body was refused, what is done with one that is taken out.

import CallbackLog
import Dispatch
import Logging
import Platform
import Synchronization

/// The callbacks that were refused, on the disk.
public final class Quarantine: RefusalKeeper, Sendable {
    /// Of the directory in that of the log.
    package static let directoryName = QuarantineStore.directoryName
    /// Bodies that wait to be kept: 64 MiB of the largest.
    static let waitingMax = 1_024

    private let store: Confined<QuarantineStore>
    private let mailbox: Mailbox<QuarantineArrival>
    private let known = KnownSizes()

    /// The quarantine of the log in `logDirectory`. What is there is read in the background.
    public convenience init(logDirectory: String, bytesMax: Int64, logger: Logger) {
        let path = logDirectory + "/" + QuarantineStore.directoryName
        let log = Mutex(RateLimitedLog(logger))
        self.init(
            bytesMax: bytesMax, wallMilliseconds: Clock.wallMilliseconds,
            observe: { event in log.withLock { Self.say(event, in: path, to: &$0) } },
            openDirectory: { () throws(SystemError) in
                // A log directory that was removed is not made again by what was refused.
                try SystemDirectory(reading: logDirectory).directory(creating: QuarantineStore.directoryName)
            })
        // Not made before there is something to keep.
        if WholeFile.exists(path) { store.queue.async { [store] in store.withValue { _ = $0.isReadable() } } }
    }

    private static func say(_ event: QuarantineEvent, in path: String, to log: inout RateLimitedLog) {
        let now = Clock.monotonicNanoseconds() / 1_000_000
        switch event {
        case .failed(let error):
            log.warning("the quarantine fails: what cannot be kept is answered 503", ["error": "\(error)"], now: now)
        case .gone(let count):
            log.warning(
                "the quarantine is full: refused bodies went before they were taken in again (quarantine.bytes-max)", ["bodies": .stringConvertible(count)], now: now)
        case .unreadable(let name, let error):
            log.warning(
                "a refused body cannot be read: it stays, but is neither listed nor taken in again until it can be",
                ["directory": "\(path)", "file": "\(name)", "error": "\(error)"], now: now)
        case .foreign(let name, let count):
            log.warning("files in the quarantine are not its own; they are left alone", ["directory": "\(path)", "first": "\(name)", "files": .stringConvertible(count)], now: now)
        }
    }

    /// Whether a log directory has one: something was refused there once.
    package static func exists(inLogAt path: String) -> Bool { WholeFile.exists(path + "/" + QuarantineStore.directoryName) }

    init(
        bytesMax: Int64, wallMilliseconds: @escaping @Sendable () -> Int64, observe: @escaping @Sendable (QuarantineEvent) -> Void,
        openDirectory: @escaping @Sendable () throws(SystemError) -> any Directory
    ) {
        let queue = DispatchQueue(label: "quarantine", qos: .utility)
        let store = Confined(
            QuarantineStore(bytesMax: bytesMax, wallMilliseconds: wallMilliseconds, observe: observe, openDirectory: openDirectory), to: queue)
        self.store = store
        let drain = Waker()
        mailbox = Mailbox(weightMax: Self.waitingMax) { queue.async { drain.wake() } }
        let mailbox = mailbox
        drain.set {
            var arrivals: [QuarantineArrival] = []
            mailbox.take(into: &arrivals)
            store.withValue { $0.keep(arrivals) }
        }
    }

    func keep(_ refusal: KeptRefusal, from client: IPAddress, completion: @escaping @Sendable (Bool) -> Void) {
        guard mailbox.post(QuarantineArrival(refusal: refusal, peer: client, completion: completion)) else { return completion(false) }
    }

    /// An entry as it is shown.
    struct Shown: Sendable {
        let entry: QuarantineEntry
        let detail: String
        let body: [UInt8]
    }

    /// Entries below this name, newest first, at most so many and about so many bytes; and whether there are more. Nil
    /// where it cannot be read.
    func page(below name: String?, countMax: Int, bytesMax: Int) -> (entries: [Shown], hasMore: Bool)? {
        store.queue.sync {
            store.withValue { store in
                guard store.isReadable() else { return nil }
                var shown: [Shown] = []
                var bytes = 0
                let names = store.names(below: name, countMax: countMax + 1)
                for name in names {
                    guard shown.count < countMax, shown.isEmpty || bytes < bytesMax else { return (shown, true) }
                    guard let found = store.entry(name) else { continue }
                    shown.append(Shown(entry: found.entry, detail: found.detail, body: found.body))
                    bytes += found.body.count
                }
                // One that is gone meanwhile does not end the pages.
                return (shown, names.count > countMax)
            }
        }
    }

    /// The names of a ring's entries, oldest first, also of those whose file cannot be read; nil where the directory cannot.
    func names(of ring: QuarantineRing) -> [String]? {
        store.queue.sync { store.withValue { $0.isReadable() ? $0.names(of: ring) : nil } }
    }

    /// The body of an entry, and whether it is not whole; nil where it is gone, or cannot be read.
    func body(of name: String) -> (bytes: [UInt8], isCut: Bool)? { store.queue.sync { store.withValue { $0.entry(name).map { ($0.body, $0.isCut) } } } }

    /// Takes entries out for good. False where that could not be done.
    func remove(_ names: [String]) -> Bool { store.queue.sync { store.withValue { store in (try? store.remove(names)) != nil } } }

    /// What each ring takes of the disk: as it was last known where the disk keeps the quarantine waiting.
    var sizes: QuarantineSizes {
        known.read { answer in store.queue.async { [store] in answer(store.withValue { QuarantineSizes($0.rings) }) } }
    }
}
