// Going through the log for the requests of a selection, by their newest records, as of a position.
//
//     by state     the column of states, page by page; what is wanted there and not superseded is a candidate
//     by key       the records that have the key, each resolved to its request's newest (KeySearch.swift); where those
//                  are many, by state
//
// Promises: every request of the selection comes once, where its newest record as of the position stands: what arrives
// meanwhile shifts nothing and repeats nothing. Others may come, too: which state a request has is for the user to find
// out, by its records through the position. Each `next` does a bounded piece of work, so that others get their turn.
// Must not know: how a state is found, what a page of answers is.

import Platform

/// A walk over the requests that a selection takes.
public struct SelectionScan: Sendable {
    /// What finding a candidate costs, in records whose state is looked at.
    static let candidateWork = 512

    /// What is looked for.
    public let selection: RecordSelection
    /// The position whose view it is.
    public let position: UInt64
    private let wanted: WantedStates
    private var walk: StateWalk
    private var view: NewestView
    private var isBounded = false
    private var keyed: KeySearch?
    private var run = StateRun()

    /// - Parameters:
    ///   - position: what came after this record is not looked at; the log's durable position, or an earlier one.
    ///   - behind: goes on behind this record, in the scan's direction.
    public init(_ selection: RecordSelection, asOf position: UInt64, isNewestFirst: Bool, behind: UInt64? = nil) {
        self.init(selection, asOf: position, isNewestFirst: isNewestFirst, behind: behind, keyRecordsMax: KeySearch.recordsMax)
    }

    /// - Parameter keyRecordsMax: with more records of its key it goes by state.
    init(_ selection: RecordSelection, asOf position: UInt64, isNewestFirst: Bool, behind: UInt64?, keyRecordsMax: Int) {
        self.selection = selection
        self.position = position
        wanted = WantedStates(selection)
        walk = StateWalk(0...position, isNewestFirst: isNewestFirst)
        view = NewestView(asOf: position)
        keyed = selection.key.map { KeySearch($0, asOf: position, recordsMax: keyRecordsMax) }
        if let behind { walk.pass(behind) }
    }

    /// True once all candidates were found.
    public private(set) var isFinished = false

    /// All up to this sequence, in the scan's direction, was looked at: another scan may go on `behind` it. Nil at the
    /// beginning, and at the end. See `isByKey`.
    public var reached: UInt64? {
        guard !walk.isFinished else { return nil }
        if walk.isNewestFirst { return walk.high == position ? nil : walk.high + 1 }
        return walk.low == 0 ? nil : walk.low - 1
    }

    /// A scan by key looks at all that it finds before it gives the first: until then it is at the beginning, and is
    /// itself to be gone on with.
    public var isByKey: Bool { keyed != nil }

    /// Appends further candidates: at most `candidatesMax`, and as many as come up while about `workMax` records are
    /// looked at; perhaps none. What was found before a failure stays found, and the scan can go on.
    public mutating func next(
        _ log: CallbackLog, candidatesMax: Int, workMax: Int, using reader: inout RecordReader, into candidates: inout [RecordLocation]
    ) throws(RecordReadFailure) {
        let shared = log.shared
        if !isBounded {
            try walk.limit(since: selection.since, until: selection.until, in: shared, using: &reader)
            isFinished = walk.isFinished
            isBounded = true
        }
        let most = candidates.count + candidatesMax
        var work = workMax
        if keyed != nil {
            try nextOfKey(log, most: most, &work, using: &reader, into: &candidates)
        } else {
            while candidates.count < most, work > 0, !isFinished { try nextRun(shared, most: most, &work, using: &reader, into: &candidates) }
        }
        // The last candidate was perhaps the last record.
        if walk.isFinished { isFinished = true }
    }

    private mutating func nextRun(
        _ shared: Shared, most: Int, _ work: inout Int, using reader: inout RecordReader, into candidates: inout [RecordLocation]
    ) throws(RecordReadFailure) {
        let selection = self.selection
        guard try walk.next(&run, in: shared, using: &reader.pages, isOfUse: { selection.wants(anyOf: $0) }) else {
            isFinished = true
            return
        }
        let count = run.states.count
        work -= count
        do throws(IndexFault) {
            for step in 0..<count {
                let place = walk.isNewestFirst ? count - 1 - step : step
                guard wanted.contains(run.states[place]) else { continue }
                let sequence = try run.sequence(place, in: shared, using: &reader.pages)
                guard view.mayBeNewest(sequence, in: shared) else { continue }
                work -= Self.candidateWork
                if isWanted(RecordState(byte: run.states[place]), sequence, shared),
                    let location = try run.location(place, in: shared, using: &reader.pages)
                {
                    candidates.append(location)
                }
                walk.pass(sequence)
                if candidates.count == most || work <= 0 { return }
            }
            walk.pass(run)
        } catch {
            if let segment = run.segment { try shared.stumble(over: segment) }
        }
    }

    /// What is announced is asked whether it is still open, where that is known as of the position.
    private func isWanted(_ state: RecordState, _ sequence: UInt64, _ shared: Shared) -> Bool {
        guard state.status == RecordState.announcement else { return true }
        return switch shared.standing(ofAnnouncement: sequence) {
        case .open(let state): selection.statuses >> UInt16(state.status) & 1 == 1
        case .answered: selection.statuses & RecordSelection.answered != 0
        case .unknown: true
        }
    }

    private mutating func nextOfKey(
        _ log: CallbackLog, most: Int, _ work: inout Int, using reader: inout RecordReader, into candidates: inout [RecordLocation]
    ) throws(RecordReadFailure) {
        let found: [RecordLocation]
        switch try keyed?.find(in: log, &view, &work, using: &reader) {
        case .found(let all): found = all
        case .unfinished, nil: return
        case .tooMany(let first):
            // No request has its newest record before its oldest.
            walk.limit(from: first, through: .max)
            keyed = nil
            return
        }
        for step in found.indices {
            let location = found[walk.isNewestFirst ? found.count - 1 - step : step]
            guard !walk.isFinished, walk.low <= location.sequence, location.sequence <= walk.high else { continue }
            if candidates.count == most { return }
            if selection.wants(location.entry.state) { candidates.append(location) }
            walk.pass(location.sequence)
        }
        isFinished = true
    }
}
