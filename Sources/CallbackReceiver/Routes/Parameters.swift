// The query parameters of all routes (API.md §4): one table of names, values and what is said of a wrong one.
//
// Promises: each parameter at most once, none that the route does not know, each value checked; what is wrong is one
// sentence that names the parameter and says what is possible. It never repeats a value (invariant 9).
// Must not know: which route has which, or what a value does.

import CallbackLog
import CrispCallback
import HTTPWire

/// What is wrong with a query, for people.
struct ParameterFault: Error {
    let detail: String
}

enum Parameter: UInt8, Sendable, CaseIterable {
    case limit, cursor, since, until, status, failureClass, reference, sessionID, whatsappMessageID, crispFingerprint
    case wait, interval, format, after, unauthorized

    var name: String {
        switch self {
        case .limit: "limit"
        case .cursor: "cursor"
        case .since: "since"
        case .until: "until"
        case .status: "status"
        case .failureClass: "class"
        case .reference: "reference"
        case .sessionID: "session_id"
        case .whatsappMessageID: "whatsapp_message_id"
        case .crispFingerprint: "crisp_fingerprint"
        case .wait: "wait"
        case .interval: "interval"
        case .format: "format"
        case .after: "after"
        case .unauthorized: "unauthorized"
        }
    }

    /// What it may be: the end of the sentence that begins with its name.
    var possible: String {
        switch self {
        case .limit: "is a number from 1 to \(Parameters.limitMax)."
        case .cursor: "is what next of the page before said, unchanged."
        case .since, .until: "is a time of RFC 3339, for example 2026-05-20T18:20:25Z or 2026-05-20T20:20:25.031+02:00 (a + may need to be sent as %2B)."
        case .status: "is one of \(Self.list(RequestStatus.allCases.map(\.name)))."
        case .failureClass: "is one of \(Self.list(FailureClass.allCases.map(\.name)))."
        case .reference: "is what PUT took: 1 to \(Announcement.referenceBytesMax) bytes in UTF-8."
        case .sessionID, .whatsappMessageID: "is 1 to \(CallbackBounds.identifierBytesMax) bytes in UTF-8."
        case .crispFingerprint: "is a whole number without leading zero."
        case .wait: "is a number of seconds, for example 30 or 0.5; more than \(Parameters.waitMillisecondsMax / 1_000) is taken for that."
        case .interval: "is one of \(Self.list(StatisticsInterval.allCases.map(\.rawValue)))."
        case .format: "is jsonl or csv."
        case .after: "is the id of an event, or a sequence."
        case .unauthorized: "is true or false."
        }
    }

    static func list(_ words: [String]) -> String { words.joined(separator: ", ") }
}

/// The parameters of a request, each with its default.
package struct Parameters {
    /// Elements in a page, and what `limit` may ask for.
    static let limitDefault = 100
    static let limitMax = 1_000
    /// Longer waits are cut to this: shorter than what proxies allow an answer.
    package static let waitMillisecondsMax = 50_000
    /// Of any value; a target is bounded more narrowly still (HTTPLimits).
    private static let wholeDigitsMax = 18

    var limit = Self.limitDefault
    /// As it came.
    var cursor: [UInt8]?
    var filter = RequestFilters()
    var waitMilliseconds: Int?
    var interval = StatisticsInterval.hour
    var format = ExportFormat.jsonl
    /// As it came.
    var after: [UInt8]?
    var includesUnauthorized = false

    /// Reads the query of `request`, where the parameters in `known` are possible.
    init(_ request: borrowing Request, known: [Parameter]) throws(ParameterFault) {
        var parameters = QueryParameters(of: request.query)
        var seen: [Parameter] = []
        while let pair = parameters.next(in: request.head.span) {
            var name: [UInt8] = []
            var value: [UInt8] = []
            guard PercentEncoding.decode(request.head.span, at: pair.name, into: &name),
                PercentEncoding.decode(request.head.span, at: pair.value, into: &value)
            else { throw ParameterFault(detail: "The query has a % that is not followed by two hexadecimal digits.") }
            guard let parameter = known.first(where: { $0.name.utf8.elementsEqual(name) }) else {
                let there = known.isEmpty ? "There are none here." : "There are: \(Parameter.list(known.map(\.name)))."
                throw ParameterFault(detail: "The query has a parameter that is not known here. \(there)")
            }
            guard !seen.contains(parameter) else { throw ParameterFault(detail: "\(parameter.name) is given twice.") }
            seen.append(parameter)
            guard take(parameter, value) else { throw ParameterFault(detail: "\(parameter.name) \(parameter.possible)") }
        }
    }

    /// False where `value` is none that `parameter` may have.
    private mutating func take(_ parameter: Parameter, _ value: [UInt8]) -> Bool {
        switch parameter {
        case .limit:
            guard let number = Self.wholeNumber(value), 1...UInt64(Self.limitMax) ~= number else { return false }
            limit = Int(number)
        case .cursor: cursor = value
        case .after: after = value
        case .unauthorized:
            includesUnauthorized = value.elementsEqual("true".utf8)
            return includesUnauthorized || value.elementsEqual("false".utf8)
        case .since:
            filter.since = Self.moment(value)
            return filter.since != nil
        case .until:
            filter.until = Self.moment(value)
            return filter.until != nil
        case .status:
            filter.status = RequestStatus(name: value)
            return filter.status != nil
        case .failureClass:
            filter.failureClass = FailureClass.allCases.first { $0.name.utf8.elementsEqual(value) }
            return filter.failureClass != nil
        case .reference: return takeKey(.reference, value, bytesMax: Announcement.referenceBytesMax)
        case .sessionID: return takeKey(.sessionID, value, bytesMax: CallbackBounds.identifierBytesMax)
        case .whatsappMessageID: return takeKey(.whatsappMessageID, value, bytesMax: CallbackBounds.identifierBytesMax)
        case .crispFingerprint:
            let digits = value.first == UInt8(ascii: "-") ? value.dropFirst() : value[...]
            guard !digits.isEmpty, digits.allSatisfy({ 48...57 ~= $0 }), digits.count == 1 || digits.first != 48 else { return false }
            filter.keys.append(RecordSelection.Key(.crispFingerprint, value))
        case .wait:
            waitMilliseconds = Self.milliseconds(value)
            return waitMilliseconds != nil
        case .interval:
            guard let interval = StatisticsInterval.allCases.first(where: { $0.rawValue.utf8.elementsEqual(value) }) else { return false }
            self.interval = interval
        case .format:
            guard let format = ExportFormat.allCases.first(where: { $0.rawValue.utf8.elementsEqual(value) }) else { return false }
            self.format = format
        }
        return true
    }

    private mutating func takeKey(_ kind: RecordDescription.Key, _ value: [UInt8], bytesMax: Int) -> Bool {
        guard 1...bytesMax ~= value.count, String(validating: value, as: UTF8.self) != nil else { return false }
        filter.keys.append(RecordSelection.Key(kind, value))
        return true
    }

    // MARK: values

    /// Decimal digits, at most 18.
    static func wholeNumber(_ bytes: [UInt8]) -> UInt64? {
        guard 1...wholeDigitsMax ~= bytes.count, bytes.allSatisfy({ 48...57 ~= $0 }) else { return nil }
        return bytes.reduce(0) { $0 * 10 + UInt64($1 - 48) }
    }

    /// With its time of day: a date alone is no moment.
    private static func moment(_ bytes: [UInt8]) -> Timestamp? {
        guard bytes.count > "2026-05-20".utf8.count else { return nil }
        return Timestamp(rfc3339: String(decoding: bytes, as: UTF8.self))
    }

    /// Decimal digits, perhaps with a fraction, in seconds; cut to `waitMillisecondsMax`.
    static func milliseconds(_ bytes: [UInt8]) -> Int? {
        let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy { 48...57 ~= $0 } }) else { return nil }
        let whole = parts[0].drop { $0 == 48 }
        // More digits than the bound has: more than the bound.
        guard whole.count < 6 else { return waitMillisecondsMax }
        let seconds = whole.reduce(0) { $0 * 10 + Int($1 - 48) }
        let fraction = parts.count == 1 ? [] : Array(parts[1].prefix(3))
        let milliseconds = (fraction + [48, 48, 48]).prefix(3).reduce(0) { $0 * 10 + Int($1 - 48) }
        return min(seconds * 1_000 + milliseconds, waitMillisecondsMax)
    }
}

/// The lengths of the statistics' buckets.
enum StatisticsInterval: String, Sendable, CaseIterable {
    case minute, hour, day
}

enum ExportFormat: String, Sendable, CaseIterable {
    case jsonl, csv
}
