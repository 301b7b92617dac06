// The values that say which records one wants to see: a moment, a status, a kind, a failure's class.
//
// Promises: what is none of the possible ones is wrong usage, with an example.
// Must not know: what is done with them.

import ArgumentParser
import CallbackLog
import CallbackReceiver
import CrispCallback

/// One of a few words, as the interface spells them.
struct Word<Value: Spelled>: ExpressibleByArgument {
    let value: Value

    init?(argument: String) {
        guard let value = Value.allCases.first(where: { $0.name == argument }) else { return nil }
        self.value = value
    }

    static var allValueStrings: [String] { Value.allCases.map(\.name) }
    static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }
}

protocol Spelled: CaseIterable, Sendable {
    var name: String { get }
}

extension RecordedStatus: Spelled {}
extension RequestStatus: Spelled {}
extension FailureClass: Spelled {}

/// The kind of a record.
enum KindArgument: String, ExpressibleByArgument, CaseIterable {
    case callback, announcement, overdue

    var kind: RecordKind {
        switch self {
        case .callback: .callback
        case .announcement: .announcement
        case .overdue: .overdue
        }
    }
}

/// `--since` and `--until`.
struct TimeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Nothing received before this moment: RFC 3339, as 2026-05-20T18:20:25Z or 2026-05-20T20:20:25+02:00; or a day in UTC, 2026-05-20.",
            valueName: "TIME"),
        transform: moment)
    var since: Timestamp?

    @Option(help: ArgumentHelp("Nothing received at or after this moment.", valueName: "TIME"), transform: moment)
    var until: Timestamp?

    private static func moment(_ text: String) throws -> Timestamp {
        guard let moment = Timestamp(rfc3339: text) else {
            throw ValidationError("write for example 2026-05-20T18:20:25Z or 2026-05-20")
        }
        return moment
    }
}
