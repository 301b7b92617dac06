// What the outside world may rely on: the records that were acknowledged, and those that were refused and may
// or may not have survived. The model of the randomized test. Announced requests: AnnouncedRequests.swift.
//
// Must not know: files, batches, faults.

@testable import CallbackLog

struct AcknowledgedRecords {
    struct Callback: Hashable, CustomStringConvertible {
        let identifier: String
        let payload: String
        var description: String { "\(identifier)\(payload.count < 40 ? payload : payload.prefix(20) + "…")" }
    }
    /// Told to somebody: this callback has this sequence, for ever.
    private(set) var sequences: [Callback: UInt64] = [:]
    /// Handed over and not acknowledged as stored. After a crash such a record may be there.
    private(set) var unsure: Set<Callback> = []
    private(set) var floor: UInt64 = 1
    /// Whether a callback may have been stored again, since its record could not be read when it came.
    var mayRepeat = false
    /// The highest sequence that anybody was told of.
    private(set) var highest: UInt64 = 0
    /// The clock's, when anything was last handed over or seen, in milliseconds.
    private(set) var latest: Int64 = 0
    private(set) var announced = AnnouncedRequests()

    /// Takes an answer in; says what is wrong with it.
    mutating func take(_ outcome: AppendOutcome?, of callback: Callback) -> String? {
        announced.call(callback.identifier)
        switch outcome {
        case .stored(let sequence, let isDuplicate):
            if let known = sequences[callback] {
                if mayRepeat, !isDuplicate, sequence > highest {
                    highest = sequence
                    return nil
                }
                return isDuplicate && (sequence == known || mayRepeat) ? nil : "\(callback) is \(known), and now \(String(describing: outcome))"
            }
            if isDuplicate, !unsure.contains(callback) { return "\(callback) was never handed over before, and yet \(String(describing: outcome))" }
            if sequences.values.contains(sequence) || announced.told[sequence] != nil { return "\(sequence) was given before; now to \(callback)" }
            sequences[callback] = sequence
            unsure.remove(callback)
            highest = max(highest, sequence)
            return nil
        case .blocked:
            if sequences[callback] == nil { unsure.insert(callback) }
            return nil
        case .tooManyRecords: return "\(callback): too many records"
        case .announced, .superfluous, .tooManyAwaited: return "\(callback) is no announcement, and yet \(String(describing: outcome))"
        case nil:
            if sequences[callback] == nil { unsure.insert(callback) }
            return nil
        }
    }

    /// The same of an announcement that was handed over at `now`; `isAlone` as it was before.
    mutating func take(_ outcome: AppendOutcome?, of announcement: AnnouncedRequests.Announcement, at now: Int64, isAlone: Bool) -> String? {
        if let sequence = outcome?.sequence {
            if let callback = sequences.first(where: { $0.value == sequence }) { return "\(sequence) is \(callback.key), and now \(announcement)" }
            see(durable: sequence)
        }
        return announced.take(outcome, of: announcement, at: now, isAlone: isAlone, mayRepeat: mayRepeat)
    }

    /// Any query shows records up to this one, and no time is before `now`.
    mutating func see(durable: UInt64, at now: Int64 = 0) {
        highest = max(highest, durable)
        latest = max(latest, now)
    }

    /// Handed over; the answer may never come. True where nothing of its request had been handed over before.
    mutating func lose(_ announcement: AnnouncedRequests.Announcement) -> Bool {
        let isAlone = !announced.handed.contains { $0.identifier == announcement.identifier }
        announced.lose(announcement)
        return isAlone
    }

    /// Handed over; the answer will never come.
    mutating func lose(_ callback: Callback) {
        announced.call(callback.identifier)
        if sequences[callback] == nil { unsure.insert(callback) }
    }

    /// The log begins with this sequence: whatever has a lower one went by retention.
    mutating func retire(below floor: UInt64) {
        self.floor = floor
        announced.retire(below: floor)
        for (callback, sequence) in sequences where sequence < floor {
            sequences[callback] = nil
            unsure.insert(callback)
        }
    }

    /// Says what is wrong with what a log shows of these requests.
    func faults(in open: OpenLog, identifiers: [String]) -> [String] {
        var faults: [String] = []
        var seen: [Callback: Set<UInt64>] = [:]
        var others: Set<UInt64> = []
        var histories: [String: [ShownRecord]] = [:]
        for identifier in identifiers {
            guard let records = try? open.history(identifier) else {
                faults.append("\(identifier) cannot be read")
                continue
            }
            histories[identifier] = records
            if records.map(\.sequence) != records.map(\.sequence).sorted() { faults.append("\(identifier) is not newest first: \(records)") }
            faults += announced.faults(in: records, of: identifier, floor: floor)
            for record in records {
                guard record.kind == .callback else {
                    others.insert(record.sequence)
                    continue
                }
                let callback = Callback(identifier: identifier, payload: record.members)
                if seen[callback] != nil, !mayRepeat { faults.append("\(callback) stands twice: \(records)") }
                seen[callback, default: []].insert(record.sequence)
                if sequences[callback] == nil, !unsure.contains(callback) { faults.append("\(callback) is invented") }
            }
        }
        for (callback, sequence) in sequences where seen[callback]?.contains(sequence) != true {
            faults.append("\(callback) was acknowledged as \(sequence) and is \(seen[callback].map { "\($0)" } ?? "gone")")
        }
        let all = (Array(seen.values.joined()) + others).sorted()
        if all != Array(floor..<max(floor, open.log.durable + 1)) { faults.append("not dense: \(all) from \(floor) up to \(open.log.durable)") }
        if !announced.isEmpty { faults += announced.faults(of: open, believing: histories, floor: floor) }
        return faults
    }
}
