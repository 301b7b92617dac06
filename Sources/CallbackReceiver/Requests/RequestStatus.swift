// What is known of a request, in one word (API.md §4).
//
// Promises: names never change, they stand in answers; the raw values are the states of records in index files, where
// an announcement stands for `pending` and an overdue record for `overdue`.
// Must not know: how a status is found (RequestState).

import CallbackLog
import CrispCallback

package enum RequestStatus: UInt8, Sendable, CaseIterable {
    case sent = 1
    case failed, unrecognized
    /// Announced, no callback yet.
    case pending
    /// Announced, and no callback within the time allowed.
    case overdue

    package init(_ status: CallbackStatus) {
        self =
            switch status {
            case .sent: .sent
            case .failed: .failed
            case .unrecognized: .unrecognized
            }
    }

    /// As the interface spells it.
    package var name: String {
        switch self {
        case .sent: "sent"
        case .failed: "failed"
        case .unrecognized: "unrecognized"
        case .pending: "pending"
        case .overdue: "overdue"
        }
    }

    package init?(name: some Sequence<UInt8>) {
        guard let status = Self.allCases.first(where: { $0.name.utf8.elementsEqual(name) }) else { return nil }
        self = status
    }

    /// A callback has come: a wait ends.
    package var isFinal: Bool { self != .pending && self != .overdue }
}

extension RecordedStatus {
    /// The log's word for the decoder's.
    init(_ status: CallbackStatus) {
        self =
            switch status {
            case .sent: .sent
            case .failed: .failed
            case .unrecognized: .unrecognized
            }
    }
}
