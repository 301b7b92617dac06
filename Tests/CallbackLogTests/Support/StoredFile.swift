// One file of the MemoryDisk: what reads see, what is on stable storage, and what may be.
//
//     write, truncate ─▶ cached          each also leaves a version of every sector that it touches, and a size
//     fdatasync       ─▶ stable          the cached content of the dirty sectors, and the size
//     fdatasync failed   nothing stable; the sectors count as clean, and a later success does not bring them
//
// Promises: after a power loss each sector that was not synced is on its own what it was at any moment since it was:
// writes reach the disk in any order, or not at all, and never in halves of a sector. The size is any that the file
// had, or lies between two of them where the file grew; what it covers and nobody brought is zero.
// Must not know: names, who writes, faults.

struct StoredFile {
    /// What the drive writes whole or not at all.
    static let sectorBytes = 512

    private let sectorBytes: Int
    /// What a read sees.
    private(set) var cached: [UInt8]
    private var stable: [UInt8]
    /// What a sector may hold beside its stable content, oldest first: each is a whole sector.
    private var versions: [Int: [[UInt8]]] = [:]
    /// The sectors that the next fdatasync brings.
    private var dirty: Set<Int> = []
    /// The stable size first, then those that came after it.
    private var sizes: [Int]

    init(_ bytes: [UInt8] = [], sectorBytes: Int = Self.sectorBytes) {
        self.sectorBytes = sectorBytes
        cached = bytes
        stable = bytes
        sizes = [bytes.count]
    }

    // MARK: calls

    mutating func write(_ bytes: ArraySlice<UInt8>, at offset: Int) {
        guard !bytes.isEmpty else { return }
        let end = offset + bytes.count
        extend(to: end)
        cached.replaceSubrange(offset..<end, with: bytes)
        for sector in (offset / sectorBytes)...((end - 1) / sectorBytes) { keepVersion(of: sector) }
    }

    mutating func truncate(to size: Int) {
        guard size < cached.count else { return extend(to: size) }
        let sectorCount = sectors(in: cached.count)
        cached.removeSubrange(size...)
        sizes.append(size)
        // What was cut reads as zero, should the file ever reach there again.
        for sector in (size / sectorBytes)..<sectorCount { keepVersion(of: sector) }
    }

    mutating func synchronize() {
        grow(&stable, to: cached.count)
        for sector in dirty where sector * sectorBytes < cached.count {
            versions[sector] = nil
            let range = (sector * sectorBytes)..<min((sector + 1) * sectorBytes, cached.count)
            stable.replaceSubrange(range, with: cached[range])
        }
        stable.removeSubrange(cached.count...)
        versions = versions.filter { $0.key * sectorBytes < cached.count }
        dirty = []
        sizes = [cached.count]
    }

    /// The kernel tells once, and marks the pages clean.
    mutating func failToSynchronize() { dirty = [] }

    /// True where a sector was marked clean without being brought.
    var hasLost: Bool { versions.keys.contains { !dirty.contains($0) } }

    /// The memory of the pages that were marked clean and never brought is needed: reads see what the disk has of them,
    /// by `choose` as in `afterPowerLoss`.
    mutating func evict(_ choose: (Int) -> Int) {
        grow(&stable, to: cached.count)
        for (sector, contents) in versions.sorted(by: { $0.key < $1.key }) where !dirty.contains(sector) {
            versions[sector] = nil
            let range = (sector * sectorBytes)..<min((sector + 1) * sectorBytes, cached.count)
            guard range.lowerBound < cached.count else { continue }
            let version = choose(contents.count)
            if version > 0 { stable.replaceSubrange(range, with: contents[version - 1].prefix(range.count)) }
            cached.replaceSubrange(range, with: stable[range])
        }
    }

    /// Somebody else changes a byte, durably.
    mutating func flip(_ offset: Int) {
        cached[offset] ^= 1
        stable[offset] ^= 1
    }

    // MARK: the power goes

    /// What is found afterwards. `choose` is given a bound and answers with a number from 0 up to it: always 0 keeps
    /// nothing but what is stable, always the bound all that was written.
    func afterPowerLoss(_ choose: (Int) -> Int) -> [UInt8] {
        let moment = choose(sizes.count - 1)
        var size = sizes[moment]
        if moment > 0, size > sizes[moment - 1] {
            let between = (size - 1) / sectorBytes - sizes[moment - 1] / sectorBytes
            let missing = between - choose(between)
            if missing > 0 { size = (sectors(in: size) - missing) * sectorBytes }
        }
        var bytes = Array(stable.prefix(size))
        grow(&bytes, to: size)
        for (sector, contents) in versions.sorted(by: { $0.key < $1.key }) where sector * sectorBytes < size {
            let version = choose(contents.count)
            guard version > 0 else { continue }
            let range = (sector * sectorBytes)..<min((sector + 1) * sectorBytes, size)
            bytes.replaceSubrange(range, with: contents[version - 1].prefix(range.count))
        }
        return bytes
    }

    // MARK: sectors

    private func sectors(in count: Int) -> Int { (count + sectorBytes - 1) / sectorBytes }

    private mutating func extend(to size: Int) {
        guard size > cached.count else { return }
        grow(&cached, to: size)
        sizes.append(size)
    }

    private func grow(_ bytes: inout [UInt8], to count: Int) {
        if bytes.count < count { bytes.append(contentsOf: [UInt8](repeating: 0, count: count - bytes.count)) }
    }

    private mutating func keepVersion(of sector: Int) {
        let start = min(sector * sectorBytes, cached.count)
        var content = Array(cached[start..<min(start + sectorBytes, cached.count)])
        grow(&content, to: sectorBytes)
        versions[sector, default: []].append(content)
        dirty.insert(sector)
    }
}

/// The names of the MemoryDisk.
///
/// Promises: after a power loss each change since the last fsync of the directory happened or not, on its own; a
/// rename is one change.
struct StoredNames {
    private(set) var now: [String: Int] = [:]
    private var stable: [String: Int] = [:]
    /// What each change since set its names to.
    private var changes: [[String: Int?]] = []

    init(_ stable: [String: Int] = [:]) {
        now = stable
        self.stable = stable
    }

    mutating func change(_ names: [String: Int?]) {
        changes.append(names)
        Self.apply(names, to: &now)
    }

    mutating func synchronize() { self = StoredNames(now) }

    /// `choose` as in `StoredFile.afterPowerLoss`.
    func afterPowerLoss(_ choose: (Int) -> Int) -> [String: Int] {
        var names = stable
        for change in changes where choose(1) == 1 { Self.apply(change, to: &names) }
        return names
    }

    private static func apply(_ change: [String: Int?], to names: inout [String: Int]) {
        for (name, number) in change { names[name] = number }
    }
}
