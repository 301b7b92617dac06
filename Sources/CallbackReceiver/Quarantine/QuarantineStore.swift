// The quarantine on disk: refused bodies as files of one directory.
//
//     arrivals ─▶ known already? ─▶ counted
//                 new ─▶ room made ─▶ written, fdatasync ─▶ … ─▶ one fsync of the directory ─▶ all of them kept
//
// Promises: what is said to be kept is on stable storage; a batch costs one sync of the directory. A file that could not
// be written counts as not kept, and nothing of it stays. State of the quarantine's queue; touched by nothing else.
// Must not know: who waits, HTTP.

import CallbackLog
import Platform

/// A refused body on its way in.
struct QuarantineArrival: Sendable {
    let refusal: KeptRefusal
    let peer: IPAddress
    let completion: @Sendable (Bool) -> Void
}

final class QuarantineStore {
    static let directoryName = "quarantine"
    /// What was refused for want of proof is anybody's: it has a small ring of its own (API.md §3).
    static let unauthorizedBytesMax: Int64 = 8 * 1_024 * 1_024
    /// Names that are looked at in a directory: those of the largest quarantine, and many of others.
    private static let namesMax = 1 << 20

    private let openDirectory: () throws(SystemError) -> any Directory
    private let wallMilliseconds: @Sendable () -> Int64
    private let say: (String) -> Void
    private var directory: (any Directory)?
    private(set) var rings: [QuarantineRing: QuarantineIndex]
    private var serial = 0

    init(
        bytesMax: Int64, wallMilliseconds: @escaping @Sendable () -> Int64, say: @escaping (String) -> Void,
        openDirectory: @escaping () throws(SystemError) -> any Directory
    ) {
        rings = [.refused: QuarantineIndex(bytesMax: bytesMax), .unauthorized: QuarantineIndex(bytesMax: Self.unauthorizedBytesMax)]
        self.wallMilliseconds = wallMilliseconds
        self.say = say
        self.openDirectory = openDirectory
    }

    // MARK: keeping

    /// Keeps `arrivals`; each is told whether it was.
    func keep(_ arrivals: [QuarantineArrival]) {
        var kept = [Bool](repeating: false, count: arrivals.count)
        do throws(SystemError) {
            let directory = try present()
            var isChanged = false
            // What is in the index is on stable storage: until the directory is synced, what this batch adds is not.
            defer { if isChanged { self.directory = nil } }
            for (index, arrival) in arrivals.enumerated() {
                do throws(SystemError) {
                    kept[index] = try keep(arrival, in: directory, &isChanged)
                } catch {
                    say("\(error)")
                }
            }
            if isChanged { try directory.synchronize() }
            isChanged = false
        } catch {
            say("\(error)")
            kept = [Bool](repeating: false, count: arrivals.count)
        }
        for (arrival, isKept) in zip(arrivals, kept) { arrival.completion(isKept) }
    }

    private func keep(_ arrival: QuarantineArrival, in directory: any Directory, _ isChanged: inout Bool) throws(SystemError) -> Bool {
        let refusal = arrival.refusal
        let ring = QuarantineRing(status: refusal.status)
        let now = Timestamp(milliseconds: wallMilliseconds())
        let hash = refusal.body.hashValue
        for name in rings[ring]?.names(withHash: hash) ?? [] {
            guard let known = try? read(name, in: directory), known.body == refusal.body else { continue }
            if let entry = rings[ring]?.repeated(name, at: now) {
                // Not synced: the count is a hint, the body is not.
                _ = try? directory.open(name).writeWhole(QuarantineEntry.variablePart(lastAt: entry.lastAt, count: entry.count))
            }
            return true
        }
        let bytes = QuarantineEntry.file(at: now, peer: arrival.peer, status: refusal.status, detail: refusal.detail, body: refusal.body)
        let name = freshName(at: now, ring)
        let entry = QuarantineEntry(
            name: name, ring: ring, at: now, lastAt: now, count: 1, peer: arrival.peer, status: refusal.status, byteCount: Int64(bytes.count))
        guard let outgoing = rings[ring]?.outgoing(for: entry.diskBytes, of: arrival.peer) else { return false }
        for gone in outgoing {
            try remove(gone.name, of: ring, in: directory)
            isChanged = true
        }
        let file = try directory.create(name)
        isChanged = true
        do throws(SystemError) {
            try file.writeWhole(bytes)
            try file.synchronizeData()
        } catch {
            _ = try? directory.remove(name)
            throw error
        }
        rings[ring]?.insert(entry, hash: hash)
        return true
    }

    /// Two in one millisecond, or a clock that was set back, do not meet.
    private func freshName(at: Timestamp, _ ring: QuarantineRing) -> String {
        serial += 1
        return QuarantineEntry.name(at: at, serial: serial, ring: ring)
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
        // A process that was killed may have left names that were never synced, and they count as kept from now on.
        try directory.synchronize()
        for name in try directory.names().prefix(Self.namesMax).sorted() {
            guard let ring = QuarantineEntry.ring(of: name), let found = try? read(name, in: directory) else { continue }
            // Likewise its bytes; nothing to do where they were.
            try directory.open(name).synchronizeData()
            // The bound may be lower than it was.
            for gone in rings[ring]?.outgoing(for: found.entry.diskBytes, of: found.entry.peer) ?? [] { try remove(gone.name, of: ring, in: directory) }
            rings[ring]?.insert(found.entry, hash: found.body.hashValue)
        }
    }

    /// An entry's file.
    private func read(_ name: String, in directory: any Directory) throws(SystemError) -> (entry: QuarantineEntry, detail: String, body: [UInt8])? {
        let file = try directory.open(name)
        let size = try file.size()
        let count = Int(min(size, Int64(QuarantineEntry.lineBytesMax + KeptRefusal.bodyBytesMax)))
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try file.read(at: 0, count: count, into: &bytes, from: 0)
        guard got == count, let (entry, detail, start) = QuarantineEntry.read(name, bytes.span, byteCount: size) else { return nil }
        return (entry, detail, Array(bytes[start...]))
    }

    /// An entry with its body; nil where it is gone.
    func entry(_ name: String) -> (entry: QuarantineEntry, detail: String, body: [UInt8])? {
        guard let ring = QuarantineEntry.ring(of: name), let place = rings[ring]?.place(of: name), let known = rings[ring]?.entries[place],
            let directory = try? present(), let found = try? read(name, in: directory)
        else { return nil }
        return (known, found.detail, found.body)
    }

    /// Whether what is there could be looked at; an error is said.
    func isReadable() -> Bool {
        do throws(SystemError) {
            _ = try present()
            return true
        } catch {
            say("\(error)")
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

extension File {
    /// Writes all of `bytes` at the beginning, in as many calls as the kernel wants.
    fileprivate func writeWhole(_ bytes: [UInt8]) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let written = try write(bytes, from: done, at: Int64(done))
            if written == 0 { throw SystemError(operation: "pwrite", path: name, code: SystemError.noSpace) }
            done += written
        }
    }
}
