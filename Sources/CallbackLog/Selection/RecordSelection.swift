// Which requests are looked for, in terms of what the indexes know of their newest records.
//
// Promises: a selection is coarse: it passes every record that may be wanted, and some that are not. Whoever asks looks
// at the request itself.
//
//     newest record     the request's status                          passes for a wanted status of
//     a callback        what it says                                  that, and its failure class
//     an announcement   pending or overdue; or a callback came first  4 or 5; or 1 to 3, whatever the class
//     an overdue one    overdue                                       5
//
// No overdue record is appended behind a callback, nor before its time has run out (WriterDecisions.swift).
// Must not know: what the numbers of callbacks' statuses and classes mean.

import Platform

/// Which requests are wanted, by the state that their newest record gives them: those that meet everything that is set.
public struct RecordSelection: Sendable {
    /// What a request can be found by beside its request_id.
    public struct Key: Sendable, Equatable {
        /// Which of the members it is a value of.
        public let kind: RecordDescription.Key
        /// Unescaped.
        public let value: [UInt8]

        /// `value` is unescaped.
        public init(_ kind: RecordDescription.Key, _ value: [UInt8]) {
            self.kind = kind
            self.value = value
        }
    }

    /// Bit n: requests of this status are wanted; those that an announcement makes pending have 4, overdue ones 5.
    public var statuses: UInt16 = .max
    /// Bit n: failures of this class are wanted; 0 is that of what is no failure.
    public var failureClasses: UInt16 = .max
    /// When the newest record was received; inclusive.
    public var since: Timestamp?
    /// Exclusive.
    public var until: Timestamp?
    /// What its requests can be found by; nil for all.
    public var key: Key?

    /// All requests.
    public init() {}

    /// Statuses that callbacks give a request.
    static let answered: UInt16 = 0b1111
    static let pending: UInt16 = 1 << 4
    static let overdue: UInt16 = 1 << 5

    func wants(_ state: RecordState) -> Bool {
        switch state.status {
        case RecordState.announcement: statuses & (Self.answered | Self.pending | Self.overdue) != 0
        case RecordState.overdue: statuses & Self.overdue != 0
        case RecordState.unserved: false
        default: statuses >> UInt16(state.status) & 1 == 1 && failureClasses >> UInt16(state.failureClass) & 1 == 1
        }
    }

    /// False where none of a segment's records, so counted, is wanted.
    func wants(anyOf counts: RecordCounts) -> Bool {
        func has(_ kind: RecordKind) -> Bool { counts.kinds[RecordCounts.slot(kind.rawValue)] > 0 }
        if has(.announcement), wants(RecordState(.announcement)) { return true }
        if has(.overdue), wants(RecordState(.overdue)) { return true }
        // A record of another kind may have been told a status, too: then it is looked at for nothing.
        let hasStatus = (0..<Int(RecordState.announcement)).contains { statuses >> UInt16($0) & 1 == 1 && counts.statuses[$0] > 0 }
        let hasClass = (0..<RecordCounts.slots).contains { failureClasses >> UInt16($0) & 1 == 1 && counts.failureClasses[$0] > 0 }
        return hasStatus && hasClass
    }
}

/// Which of the 256 states are wanted: a question for each of millions of records.
struct WantedStates: Sendable {
    private var isWanted = InlineArray<256, Bool>(repeating: true)

    /// All.
    init() {}

    init(_ selection: RecordSelection) {
        for byte in 0..<256 { isWanted[byte] = selection.wants(RecordState(byte: UInt8(byte))) }
    }

    @inline(__always)
    func contains(_ state: UInt8) -> Bool { isWanted[Int(state)] }
}
