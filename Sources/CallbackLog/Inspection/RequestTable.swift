// The requests of one window of a log: open addressing, linear probing, at most half full.
//
// Promises: 24 bytes for each request twice over, and 72 more for one that was announced, whatever its records hold.
// Must not know: files, how a window is chosen.

/// What a request's status may come of beside its newest record: kept for those that were announced.
struct RequestPast {
    /// The newest callback, where it is not the newest record.
    fileprivate(set) var callback: RecordPlace?
    /// The newest announcement.
    fileprivate(set) var latest: RecordPlace?
    /// When it was announced first.
    fileprivate(set) var announcedAt: Timestamp?
    fileprivate(set) var foundOverdueAt: Timestamp?

    /// Takes note of a record of the request, in whatever order they come.
    fileprivate mutating func note(_ record: InspectedRecord, _ bytes: Span<UInt8>) {
        switch record.kind {
        case .callback:
            if callback?.sequence ?? 0 <= record.sequence { callback = RecordPlace(record, bytes) }
        case .announcement:
            // Members that are not as the format has them say nothing.
            guard let members = AnnouncementMembers(bytes.extracting(record.payload)) else { return }
            if latest?.sequence ?? 0 <= record.sequence { latest = RecordPlace(record, bytes) }
            let since = members.announcedAt ?? record.receivedAt
            announcedAt = min(announcedAt ?? since, since)
        case .overdue: foundOverdueAt = max(foundOverdueAt ?? record.receivedAt, record.receivedAt)
        case .checkpoint, .unknown: break
        }
    }
}

final class RequestTable {
    private struct Slot {
        var hash: UInt64 = 0
        var check: UInt32 = 0
        /// Where in the window its newest record stands.
        var newest = RequestTable.free
        var callbacks: UInt32 = 0
        /// Its place in `pasts`; `none` where it has none.
        var past = RequestTable.none
    }

    private static let free = UInt32.max
    /// A newer record stands behind the window.
    private static let superseded = UInt32.max - 1
    private static let none = UInt32.max
    private static let slotsMin = 1_024
    private let first: KeyedHash
    private let second: KeyedHash
    private var slots: [Slot] = []
    private var pasts: [RequestPast] = []
    private var used = 0
    private var identifier: [UInt8] = []

    /// The two halves of what tells requests apart.
    init(_ first: KeyedHash = KeyedHash(), _ second: KeyedHash = KeyedHash()) {
        self.first = first
        self.second = second
    }

    func begin() {
        slots = [Slot](repeating: Slot(), count: Self.slotsMin)
        pasts = []
        used = 0
    }

    /// The newest record so far of its request, in the window that begins at `start`.
    func put(_ record: InspectedRecord, _ bytes: Span<UInt8>, from start: UInt64) {
        if used * 2 >= slots.count { grow() }
        let (hash, check) = hash(record, bytes)
        let index = find(hash, check)
        if slots[index].newest == Self.free {
            used += 1
            slots[index] = Slot(hash: hash, check: check)
        }
        note(record, bytes, in: index)
        slots[index].newest = UInt32(truncatingIfNeeded: record.sequence - start)
    }

    /// A record before the window; of a request that is not in it, nothing is kept.
    func putBefore(_ record: InspectedRecord, _ bytes: Span<UInt8>) {
        let (hash, check) = hash(record, bytes)
        let index = find(hash, check)
        if slots[index].newest != Self.free { note(record, bytes, in: index) }
    }

    /// A record behind the window.
    func supersede(_ record: InspectedRecord, _ bytes: Span<UInt8>) {
        let (hash, check) = hash(record, bytes)
        let index = find(hash, check)
        if slots[index].newest != Self.free { slots[index].newest = Self.superseded }
    }

    /// What is known beside `record`, which stands in the window; nil where it is not the newest of its request. Every
    /// record of the window has to be asked for, in order: what comes before the newest one may be needed with it.
    func find(_ record: InspectedRecord, _ bytes: Span<UInt8>, from start: UInt64) -> (callbacks: Int, past: RequestPast?)? {
        let (hash, check) = hash(record, bytes)
        let slot = slots[find(hash, check)]
        guard slot.newest != Self.free else { return nil }
        if record.kind == .callback, slot.past != Self.none { pasts[Int(slot.past)].note(record, bytes) }
        guard UInt64(slot.newest) == record.sequence - start else { return nil }
        return (Int(slot.callbacks), slot.past == Self.none ? nil : pasts[Int(slot.past)])
    }

    private func note(_ record: InspectedRecord, _ bytes: Span<UInt8>, in index: Int) {
        if record.kind == .callback, slots[index].callbacks < .max { slots[index].callbacks += 1 }
        if slots[index].past == Self.none {
            // A callback that nothing but callbacks came before needs no more than its number; `find` sees it again.
            guard record.kind != .callback else { return }
            slots[index].past = UInt32(truncatingIfNeeded: pasts.count)
            pasts.append(RequestPast())
        }
        pasts[Int(slots[index].past)].note(record, bytes)
    }

    private func hash(_ record: InspectedRecord, _ bytes: Span<UInt8>) -> (UInt64, UInt32) {
        // Taken out of the object, so that spans of it are of a local value.
        var identifier: [UInt8] = []
        swap(&identifier, &self.identifier)
        identifier.removeAll(keepingCapacity: true)
        record.appendRequestID(of: bytes, to: &identifier)
        let hash = first.hash(identifier.span)
        let check = UInt32(truncatingIfNeeded: second.hash(identifier.span))
        swap(&identifier, &self.identifier)
        return (hash, check)
    }

    /// Its slot, or the free one where it would go.
    private func find(_ hash: UInt64, _ check: UInt32) -> Int {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while slots[index].newest != Self.free, slots[index].hash != hash || slots[index].check != check { index = (index + 1) & mask }
        return index
    }

    private func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: old.count * 2)
        for slot in old where slot.newest != Self.free { slots[find(slot.hash, slot.check)] = slot }
    }
}
