// Which requests a list or an export is about.
//
// Promises: what is set must hold of the request's present state, all of it; the same filters have the same `text`,
// whatever order and spelling they were asked in.
// Must not know: how candidates are found.

import CallbackLog
import CrispCallback

struct RequestFilters: Sendable {
    var status: RequestStatus?
    var failureClass: FailureClass?
    /// About `updated_at`; inclusive.
    var since: Timestamp?
    /// Exclusive.
    var until: Timestamp?
    /// Each kind at most once.
    var keys: [RecordSelection.Key] = []

    /// What the indexes are asked for: never less than what is wanted.
    var selection: RecordSelection {
        var selection = RecordSelection()
        if let status { selection.statuses = 1 << UInt16(status.rawValue) }
        if let failureClass {
            // What failed has a class, and nothing else.
            selection.statuses &= 1 << UInt16(RequestStatus.failed.rawValue)
            selection.failureClasses = 1 << UInt16(failureClass.rawValue)
        }
        selection.since = since
        selection.until = until
        // One is enough: that which the fewest requests have in common.
        for kind in [RecordDescription.Key.sessionID, .reference, .crispFingerprint, .whatsappMessageID] {
            if let key = keys.first(where: { $0.kind == kind }) { selection.key = key }
        }
        return selection
    }

    /// Whether a request of this state is wanted; `payload` is its newest callback's.
    func take(_ state: borrowing RequestState, status: RequestStatus, payload: Span<UInt8>) -> Bool {
        if let wanted = self.status, wanted != status { return false }
        if let since, state.updatedAt < since { return false }
        if let until, state.updatedAt >= until { return false }
        if let failureClass, state.reading?.verdict(payload)?.failureClass != failureClass { return false }
        for key in keys where !Self.holds(key, of: state, payload) { return false }
        return true
    }

    private static func holds(_ key: RecordSelection.Key, of state: borrowing RequestState, _ payload: Span<UInt8>) -> Bool {
        var value: [UInt8] = []
        switch key.kind {
        case .reference:
            guard let reference = state.reference else { return false }
            JSONString.appendUnescaped(reference.indices, of: reference.span, to: &value)
        case .sessionID, .whatsappMessageID:
            guard let token = key.kind == .sessionID ? state.reading?.sessionID : state.reading?.whatsappMessageID else { return false }
            JSONString.appendUnescaped(token, of: payload, to: &value)
        case .crispFingerprint: state.reading?.crispFingerprint?.append(from: payload, to: &value)
        }
        return value == key.value
    }

    /// All that is set, one way of writing each.
    var text: [UInt8] {
        var text: [UInt8] = []
        text.append(decimal: UInt64(status?.rawValue ?? 0))
        text.append(" ")
        text.append(decimal: UInt64(failureClass?.rawValue ?? 0))
        for time in [since, until] {
            text.append(" ")
            time?.append(to: &text)
        }
        for key in keys.sorted(by: { $0.kind.rawValue < $1.kind.rawValue }) {
            text.append(" ")
            text.append(decimal: UInt64(key.kind.rawValue))
            text.append(" ")
            text.append(decimal: UInt64(key.value.count))
            text.append(" ")
            text.append(contentsOf: key.value)
        }
        return text
    }
}
