// What the log's index keeps of a callback: its status, the class of its failure, and what it can be found by beside its request_id.
//
// Promises: by the present decoder, as the answers are; keys by value, so that how a payload escapes them makes no
// difference. Must not know: how the index keeps them, who asks for them.

import CallbackLog
import CrispCallback

enum RecordDescriber {
    static let versions = DerivedVersions(decoder: CallbackDecoder.version, verdicts: VerdictTable.version)

    /// `members` is the payload of a callback; other kinds have no keys yet.
    static func describe(_ kind: RecordKind, _ members: Span<UInt8>, into description: inout RecordDescription) {
        guard kind == .callback, let reading = try? CallbackReading(payload: members) else { return }
        description.status = number(of: reading.status)
        description.failureClass = reading.verdict(members)?.failureClass.rawValue ?? 0
        if let session = reading.sessionID { description.add(.sessionID) { JSONString.appendUnescaped(session, of: members, to: &$0) } }
        if let message = reading.whatsappMessageID {
            description.add(.whatsappMessageID) { JSONString.appendUnescaped(message, of: members, to: &$0) }
        }
        if let fingerprint = reading.crispFingerprint { description.add(.crispFingerprint) { fingerprint.append(from: members, to: &$0) } }
    }

    /// In index files: a change of these numbers is one of `versions`. 0 is what is no callback.
    private static func number(of status: CallbackStatus) -> UInt8 {
        switch status {
        case .sent: 1
        case .failed: 2
        case .unrecognized: 3
        }
    }
}
