// The requests that filters let through, one after the other, as of one position of the log.
//
// Promises: a request comes once, where its newest record up to that position stands, and is shown as it was then, whatever
// has arrived since. Every candidate that the indexes name is verified by its state. Work is bounded by a budget; where that
// ends, another walk can go on behind `last`.
// Must not know: pages, formats.

import CallbackLog
import CrispCallback

struct RequestWalk: Sendable {
    /// What may be done for one answer, in records whose state is looked at: some tens of milliseconds.
    static let workMax = 1 << 25
    /// What it costs to look a request up, likewise: some tens of microseconds.
    private static let lookUpWork = 1 << 14
    /// Of the indexes at once: then the budget is looked at again.
    private static let scanWork = 1 << 21
    private static let candidatesMax = 64

    private let log: CallbackLog
    private let filters: RequestFilters
    private var scan: SelectionScan
    /// Found and not looked at yet, the next one last.
    private var candidates: [RecordLocation] = []
    /// What has been shown, or passed over, in the walk's direction; nil before all.
    private(set) var last: UInt64?
    /// The request that `next` found, unescaped.
    private(set) var requestID: [UInt8] = []

    /// - Parameters:
    ///   - position: what came after this record does not count.
    ///   - behind: goes on behind this record, in the walk's direction.
    init(_ log: CallbackLog, _ filters: RequestFilters, asOf position: UInt64, isNewestFirst: Bool, behind: UInt64? = nil) {
        self.log = log
        self.filters = filters
        last = behind
        scan = SelectionScan(filters.selection, asOf: position, isNewestFirst: isNewestFirst, behind: behind)
    }

    /// There are no more.
    var isFinished: Bool { candidates.isEmpty && scan.isFinished }

    /// The next request, whose newest callback the reader then holds; nil where there is none, or `work` is used up.
    mutating func next(work: inout Int, using reader: inout RecordReader) throws(RequestStateFailure) -> FoundRequest? {
        while work > 0 {
            guard let candidate = candidates.last else {
                guard !scan.isFinished else { return nil }
                try findCandidates(&work, using: &reader)
                continue
            }
            work -= Self.lookUpWork
            // What throws stays, to be looked at again.
            let found = try look(at: candidate, using: &reader)
            candidates.removeLast()
            last = candidate.sequence
            if let found { return found }
        }
        return nil
    }

    private mutating func findCandidates(_ work: inout Int, using reader: inout RecordReader) throws(RequestStateFailure) {
        do throws(RecordReadFailure) {
            try scan.next(log, candidatesMax: Self.candidatesMax, workMax: Self.scanWork, using: &reader, into: &candidates)
        } catch {
            throw .record(error)
        }
        candidates.reverse()
        // A search by key has to be gone through in one go: nobody else can go on with a part of it.
        if candidates.isEmpty, !scan.isByKey { work -= Self.scanWork }
        if candidates.isEmpty, let reached = scan.reached { last = reached }
    }

    /// Nil where it is not wanted.
    private mutating func look(at candidate: RecordLocation, using reader: inout RecordReader) throws(RequestStateFailure) -> FoundRequest? {
        do throws(RequestStateFailure) {
            guard let found = try log.find(at: candidate, asOf: scan.position, requestID: &requestID, using: &reader) else { return nil }
            guard found.state.sequence == candidate.sequence else { return nil }
            return filters.take(found.state, status: found.status, payload: reader.bytes.span.extracting(found.payload)) ? found : nil
        } catch {
            // What cannot be read back, or was never understood, is named elsewhere; it must not hide all others.
            switch error {
            case .payload, .record(.damaged): return nil
            case .record: throw error
            }
        }
    }
}
