// The quarantine on disk: refused bodies as files of one directory.
//
//     arrivals ─▶ known already? ─▶ counted
//                 new ─▶ NAME.new written, fdatasync ─▶ renamed ─▶ … ─▶ one fsync of the directory ─▶ all of them kept
//                                                                                                └─▶ what is too much goes
//
// Promises: what is said to be kept is on stable storage, and so is what it is said to repeat: a name stands for a file
// that was synced, and counts once its directory was (also of those found at a start). A part of at most `togetherMax`
// costs one sync of the directory. What could not be made durable counts as not kept, and is taken away. Nothing goes
// for what is not kept. State of the quarantine's queue; touched by nothing else.
// Must not know: who waits, HTTP.

import CallbackLog
import Platform

/// A refused body on its way in.
struct QuarantineArrival: Sendable {
    let refusal: KeptRefusal
    let peer: IPAddress
    let completion: @Sendable (Bool) -> Void
}

/// What the operator should hear of.
enum QuarantineEvent: Sendable, Equatable {
    /// A body could not be kept, or what is kept not be read.
    case failed(String)
    /// So many went for others before they were taken in again.
    case gone(Int)
    /// Files that are no entries: left alone. The first one's name, and how many there are.
    case foreign(name: String, count: Int)
    /// An entry that cannot be read now; it is tried again whenever somebody asks for what is there.
    case unreadable(name: String, error: String)
}

final class QuarantineStore {
    static let directoryName = "quarantine"
    /// What came without its proof is anybody's: it has a small ring of its own (API.md §3).
    static let unauthorizedBytesMax: Int64 = 8 * 1_024 * 1_024
    /// Bodies that share one sync of the directory: by at most these the disk holds more for a moment than the rings may.
    static let togetherMax = 64
    /// Names that are looked at in a directory: those of the largest quarantine, and many of others.
    private static let namesMax = 1 << 20

    private let openDirectory: () throws(SystemError) -> any Directory
    private let wallMilliseconds: @Sendable () -> Int64
    private let observe: (QuarantineEvent) -> Void
    private var directory: (any Directory)?
    private(set) var rings: [QuarantineRing: QuarantineIndex]
    /// Files that may be entries and could not be read: in no ring until they can.
    private var unread: Set<String> = []
    private var serial = 0

    init(
        bytesMax: Int64, wallMilliseconds: @escaping @Sendable () -> Int64, observe: @escaping (QuarantineEvent) -> Void,
        openDirectory: @escaping () throws(SystemError) -> any Directory
    ) {
        rings = [.refused: QuarantineIndex(bytesMax: bytesMax), .unauthorized: QuarantineIndex(bytesMax: Self.unauthorizedBytesMax)]
        self.wallMilliseconds = wallMilliseconds
        self.observe = observe
        self.openDirectory = openDirectory
    }

    // MARK: keeping

    /// A new entry, until it counts.
    /// A file as it was read.
    struct Found {
        let entry: QuarantineEntry
        let detail: String
        let body: [UInt8]
        /// More of the body was sent, or was to be.
        let isCut: Bool
    }

    private struct Fresh {
        let entry: QuarantineEntry
        let body: [UInt8]
        let isCut: Bool
        let hash: Int
    }

    /// Keeps `arrivals`; each is told whether it was.
    func keep(_ arrivals: [QuarantineArrival]) {
        for start in stride(from: 0, to: arrivals.count, by: Self.togetherMax) {
            keep(together: arrivals[start..<min(start + Self.togetherMax, arrivals.count)])
        }
    }

    private func keep(together arrivals: ArraySlice<QuarantineArrival>) {
        var kept: [Bool] = []
        var fresh: [Fresh] = []
        do throws(SystemError) {
            let directory = try present()
            for arrival in arrivals {
                do throws(SystemError) {
                    kept.append(try keep(arrival, in: directory, &fresh))
                } catch {
                    observe(.failed("\(error)"))
                    kept.append(false)
                }
            }
            if !fresh.isEmpty { try settle(fresh, in: directory) }
        } catch {
            observe(.failed("\(error)"))
            kept = [Bool](repeating: false, count: arrivals.count)
        }
        for (arrival, isKept) in zip(arrivals, kept) { arrival.completion(isKept) }
    }

    /// True where it is known, or was written and counts once the directory is synced.
    private func keep(_ arrival: QuarantineArrival, in directory: any Directory, _ fresh: inout [Fresh]) throws(SystemError) -> Bool {
        let refusal = arrival.refusal
        let ring: QuarantineRing = refusal.isProved ? .refused : .unauthorized
        let now = Timestamp(milliseconds: wallMilliseconds())
        let hash = refusal.body.hashValue
        for name in rings[ring]?.names(withHash: hash) ?? [] {
            guard let known = try? read(name, in: directory), known.body == refusal.body, known.isCut == refusal.isCut else { continue }
            if let entry = rings[ring]?.repeated(name, at: now) {
                // Not synced: the count is a hint, the body is not.
                _ = try? directory.openToWrite(name).writeWhole(QuarantineEntry.variablePart(lastAt: entry.lastAt, count: entry.count))
            }
            return true
        }
        // Its first copy is on the way: it shares its fate.
        if fresh.contains(where: { $0.hash == hash && $0.entry.ring == ring && $0.body == refusal.body && $0.isCut == refusal.isCut }) { return true }
        let bytes = QuarantineEntry.file(at: now, peer: arrival.peer, status: refusal.status, detail: refusal.detail, body: refusal.body, isCut: refusal.isCut)
        let name = freshName(at: now, ring)
        let entry = QuarantineEntry(
            name: name, ring: ring, at: now, lastAt: now, count: 1, peer: arrival.peer, status: refusal.status, byteCount: Int64(bytes.count))
        guard rings[ring]?.outgoing(for: entry.diskBytes, of: arrival.peer) != nil else { return false }
        let unfinished = name + QuarantineEntry.unfinishedSuffix
        let file = try directory.create(unfinished)
        do throws(SystemError) {
            try file.writeWhole(bytes)
            try file.synchronizeData()
            try directory.rename(unfinished, to: name)
        } catch {
            _ = try? directory.remove(unfinished)
            throw error
        }
        fresh.append(Fresh(entry: entry, body: refusal.body, isCut: refusal.isCut, hash: hash))
        return true
    }

    /// Makes the names durable; then they count, and what is too much goes.
    private func settle(_ fresh: [Fresh], in directory: any Directory) throws(SystemError) {
        do throws(SystemError) {
            try directory.synchronize()
        } catch {
            // Whoever sends one of them again is not to be told of a file that perhaps is not there after a crash. What is
            // there is unknown now: it is read anew, behind a sync of its own (invariant 3).
            for each in fresh { _ = try? directory.remove(each.entry.name) }
            self.directory = nil
            throw error
        }
        var gone = 0
        for each in fresh {
            let ring = each.entry.ring
            for outgoing in rings[ring]?.outgoing(for: each.entry.diskBytes, of: each.entry.peer) ?? [] {
                do throws(SystemError) {
                    try remove(outgoing.name, of: ring, in: directory)
                    gone += 1
                } catch {
                    // It stays, and is the next to go.
                    observe(.failed("\(error)"))
                }
            }
            rings[ring]?.insert(each.entry, hash: each.hash)
        }
        if gone > 0 { observe(.gone(gone)) }
    }

    /// Two in one millisecond do not meet, nor one with another of before a clock was set back.
    private func freshName(at: Timestamp, _ ring: QuarantineRing) -> String {
        while true {
            serial += 1
            let name = QuarantineEntry.name(at: at, serial: serial, ring: ring)
            if rings[ring]?.place(of: name) == nil, !unread.contains(name) { return name }
        }
    }

    private func remove(_ name: String, of ring: QuarantineRing, in directory: any Directory) throws(SystemError) {
        do throws(SystemError) {
            try directory.remove(name)
        } catch {
            // Somebody was there before.
            guard error.isMissing else { throw error }
        }
        rings[ring]?.remove(name)
    }

    // MARK: what is there

    /// The directory; opened, and read through, the first time and where it is gone.
    private func present() throws(SystemError) -> any Directory {
        if let directory, try !directory.isGone() { return directory }
        directory = nil
        let opened = try openDirectory()
        try load(opened)
        directory = opened
        return opened
    }

    private func load(_ directory: any Directory) throws(SystemError) {
        for ring in QuarantineRing.allCases { rings[ring] = QuarantineIndex(bytesMax: rings[ring]?.bytesMax ?? 0) }
        unread = []
        // A process that was killed may have left names that were never synced, and they count as kept from now on; their
        // bytes were synced before they had one.
        try directory.synchronize()
        var foreign: [String] = []
        for name in try directory.names().prefix(Self.namesMax).sorted() {
            if QuarantineEntry.isUnfinished(name) {
                // Nobody was told that it is kept.
                try directory.remove(name)
                continue
            }
            if try !takeUp(name, in: directory) { foreign.append(name) }
        }
        if let first = foreign.first { observe(.foreign(name: first, count: foreign.count)) }
    }

    /// Takes a file up as the entry that it is; one that cannot be read is noted. False for what is no entry.
    private func takeUp(_ name: String, in directory: any Directory) throws(SystemError) -> Bool {
        guard let ring = QuarantineEntry.ring(of: name) else { return false }
        let found: Found?
        do throws(SystemError) {
            found = try read(name, in: directory)
        } catch {
            // Somebody took it away meanwhile.
            guard !error.isMissing else {
                unread.remove(name)
                return true
            }
            unread.insert(name)
            observe(.unreadable(name: name, error: "\(error)"))
            return true
        }
        unread.remove(name)
        guard let found, let outgoing = rings[ring]?.outgoing(for: found.entry.diskBytes, of: found.entry.peer) else { return false }
        // The bound may be lower than it was.
        for gone in outgoing { try remove(gone.name, of: ring, in: directory) }
        rings[ring]?.insert(found.entry, hash: found.body.hashValue)
        return true
    }

    /// The entries of a ring that can and that cannot be read, oldest first.
    func names(of ring: QuarantineRing) -> [String] {
        ((rings[ring]?.entries.map(\.name) ?? []) + unread.filter { QuarantineEntry.ring(of: $0) == ring }).sorted()
    }

    /// An entry's file.
    private func read(_ name: String, in directory: any Directory) throws(SystemError) -> Found? {
        let file = try directory.open(name)
        let size = try file.size()
        guard size <= Int64(QuarantineEntry.lineBytesMax + KeptRefusal.bodyBytesMax) else { return nil }
        let count = Int(size)
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try file.read(at: 0, count: count, into: &bytes, from: 0)
        guard got == count, let (entry, detail, isCut, start) = QuarantineEntry.read(name, bytes.span, byteCount: size) else { return nil }
        return Found(entry: entry, detail: detail, body: Array(bytes[start...]), isCut: isCut)
    }

    /// An entry with its body; nil where it is gone, or cannot be read.
    func entry(_ name: String) -> Found? {
        guard let ring = QuarantineEntry.ring(of: name), let place = rings[ring]?.place(of: name), let known = rings[ring]?.entries[place],
            let directory = try? present()
        else { return nil }
        do throws(SystemError) {
            guard let found = try read(name, in: directory) else { return nil }
            return Found(entry: known, detail: found.detail, body: found.body, isCut: found.isCut)
        } catch {
            if !error.isMissing { observe(.unreadable(name: name, error: "\(error)")) }
            return nil
        }
    }

    /// Whether what is there could be looked at, what could not be read before among it; an error is said.
    func isReadable() -> Bool {
        do throws(SystemError) {
            let directory = try present()
            for name in unread.sorted() where try !takeUp(name, in: directory) { observe(.foreign(name: name, count: 1)) }
            return true
        } catch {
            observe(.failed("\(error)"))
            return false
        }
    }

    /// The names below `name`, newest first, of both rings, at most so many.
    func names(below name: String?, countMax: Int) -> [String] {
        var names: [String] = []
        for ring in QuarantineRing.allCases {
            let entries = rings[ring]?.entries ?? []
            names += entries.reversed().lazy.map(\.name).filter { name == nil || $0 < name ?? "" }.prefix(countMax)
        }
        return Array(names.sorted(by: >).prefix(countMax))
    }

    /// Takes entries out for good.
    func remove(_ names: [String]) throws(SystemError) {
        let directory = try present()
        for name in names { if let ring = QuarantineEntry.ring(of: name) { try remove(name, of: ring, in: directory) } }
        try directory.synchronize()
    }
}
