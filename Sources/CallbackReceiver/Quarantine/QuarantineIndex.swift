// What is in one ring of the quarantine, and what has to go for something new.
//
// Promises: together the entries take no more of the disk than `bytesMax`, and those of one peer (of IPv6: of one /64,
// which every subscriber has whole) no more than a quarter of it; the oldest go first. At 4 KiB each at least, their
// number is bounded by that, too, and by `entriesMax` (invariant 7).
// Must not know: files.

import CallbackLog
import Platform

struct QuarantineIndex: Sendable {
    /// One peer has at most this part of a ring.
    static let peerShare: Int64 = 4

    /// Entries of a ring, however large it is: about 32 MiB of memory.
    static let entriesMax = 65_536

    let bytesMax: Int64
    private let entriesMax: Int
    /// Oldest first.
    private(set) var entries: [QuarantineEntry] = []
    private var bytes: Int64 = 0
    private var bytesOfPeers: [IPNetwork: Int64] = [:]
    /// By the hash of the body; whoever finds one compares.
    private var namesByHash: [Int: [String]] = [:]
    private var hashes: [String: Int] = [:]

    init(bytesMax: Int64, entriesMax: Int = Self.entriesMax) {
        self.bytesMax = bytesMax
        self.entriesMax = entriesMax
    }

    /// The names of entries whose body may be the one with this hash.
    func names(withHash hash: Int) -> [String] { namesByHash[hash] ?? [] }

    /// Where the entry of this name is.
    func place(of name: String) -> Int? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = low + (high - low) / 2
            if entries[middle].name < name { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].name == name ? low : nil
    }

    /// The entries that go so that one of so many bytes of this peer has room; nil where it never has.
    func outgoing(for diskBytes: Int64, of peer: IPAddress) -> [QuarantineEntry]? {
        let share = bytesMax / Self.peerShare
        guard diskBytes <= share else { return nil }
        let network = IPNetwork(subscriberOf: peer)
        var gone: [QuarantineEntry] = []
        var ofPeer = bytesOfPeers[network, default: 0]
        var all = bytes
        for entry in entries {
            guard ofPeer + diskBytes > share else { break }
            guard IPNetwork(subscriberOf: entry.peer) == network else { continue }
            gone.append(entry)
            ofPeer -= entry.diskBytes
            all -= entry.diskBytes
        }
        guard all + diskBytes > bytesMax || entries.count - gone.count >= entriesMax else { return gone }
        let names = Set(gone.map(\.name))
        for entry in entries where !names.contains(entry.name) {
            guard all + diskBytes > bytesMax || entries.count - gone.count >= entriesMax else { break }
            gone.append(entry)
            all -= entry.diskBytes
        }
        return gone
    }

    mutating func insert(_ entry: QuarantineEntry, hash: Int) {
        var place = entries.count
        while place > 0, entries[place - 1].name > entry.name { place -= 1 }
        entries.insert(entry, at: place)
        bytes += entry.diskBytes
        bytesOfPeers[IPNetwork(subscriberOf: entry.peer), default: 0] += entry.diskBytes
        namesByHash[hash, default: []].append(entry.name)
        hashes[entry.name] = hash
    }

    mutating func remove(_ name: String) {
        guard let place = place(of: name) else { return }
        let entry = entries.remove(at: place)
        bytes -= entry.diskBytes
        let network = IPNetwork(subscriberOf: entry.peer)
        let left = bytesOfPeers[network, default: 0] - entry.diskBytes
        bytesOfPeers[network] = left > 0 ? left : nil
        guard let hash = hashes.removeValue(forKey: name) else { return }
        namesByHash[hash]?.removeAll { $0 == name }
        if namesByHash[hash]?.isEmpty ?? false { namesByHash[hash] = nil }
    }

    /// It came once more. Returns the entry as it is now.
    mutating func repeated(_ name: String, at: Timestamp) -> QuarantineEntry? {
        guard let place = place(of: name) else { return nil }
        entries[place].count += 1
        entries[place].lastAt = max(entries[place].lastAt, at)
        return entries[place]
    }

    /// What its entries take of the disk.
    var diskBytes: Int64 { bytes }
}
