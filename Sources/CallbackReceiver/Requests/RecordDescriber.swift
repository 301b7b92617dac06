// What the log's index keeps of a record: its state, the class of its failure, and what it can be found by beside its
// request_id.
//
// Promises: by the present decoder, as the answers are; keys by value, so that how a payload escapes them makes no
// difference. Must not know: how the index keeps them, who asks for them.

import CallbackLog
import CrispCallback

enum RecordDescriber {
    static let versions = DerivedVersions(decoder: CallbackDecoder.version, verdicts: VerdictTable.version)

    /// `members` is the payload of a callback, or the members of another kind. The states are RequestStatus' raw values: a
    /// change of these numbers is one of `versions`. 0 is what no request's status comes of.
    static func describe(_ kind: RecordKind, _ members: Span<UInt8>, into description: inout RecordDescription) {
        switch kind {
        case .callback: describeCallback(members, into: &description)
        case .announcement:
            guard let announcement = AnnouncementMembers(members) else { return }
            description.status = RequestStatus.pending.rawValue
            if let reference = announcement.reference {
                description.add(.reference) { JSONString.appendUnescaped(reference, of: members, to: &$0) }
            }
        case .overdue: description.status = RequestStatus.overdue.rawValue
        case .checkpoint, .unknown: break
        }
    }

    private static func describeCallback(_ payload: Span<UInt8>, into description: inout RecordDescription) {
        guard let reading = try? CallbackReading(payload: payload) else { return }
        description.status = RequestStatus(reading.status).rawValue
        description.failureClass = reading.verdict(payload)?.failureClass.rawValue ?? 0
        if let session = reading.sessionID { description.add(.sessionID) { JSONString.appendUnescaped(session, of: payload, to: &$0) } }
        if let message = reading.whatsappMessageID {
            description.add(.whatsappMessageID) { JSONString.appendUnescaped(message, of: payload, to: &$0) }
        }
        if let fingerprint = reading.crispFingerprint { description.add(.crispFingerprint) { fingerprint.append(from: payload, to: &$0) } }
    }
}
