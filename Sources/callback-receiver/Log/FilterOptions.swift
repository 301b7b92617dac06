// The values that say which records one wants to see: a moment, a status, a kind, a failure's class.
//
// Promises: what is none of the possible ones is wrong usage, with an example.
// Must not know: what is done with them.

import ArgumentParser
import CallbackLog
import CallbackReceiver
import CrispCallback

/// The status of a callback.
enum StatusArgument: String, ExpressibleByArgument, CaseIterable {
    case sent, failed, unrecognized

    var recorded: RecordedStatus {
        switch self {
        case .sent: .sent
        case .failed: .failed
        case .unrecognized: .unrecognized
        }
    }
}

/// The status of a request.
enum RequestStatusArgument: String, ExpressibleByArgument, CaseIterable {
    case sent, failed, unrecognized, pending, overdue

    var status: RequestStatus {
        switch self {
        case .sent: .sent
        case .failed: .failed
        case .unrecognized: .unrecognized
        case .pending: .pending
        case .overdue: .overdue
        }
    }
}

/// The class of a failure.
struct ClassArgument: ExpressibleByArgument {
    let failureClass: FailureClass

    init?(argument: String) {
        guard let found = FailureClass.allCases.first(where: { $0.name == argument }) else { return nil }
        failureClass = found
    }

    static var allValueStrings: [String] { FailureClass.allCases.map(\.name) }
}

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
