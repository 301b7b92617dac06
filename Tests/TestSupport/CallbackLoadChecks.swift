// What a log and its server owe to those whose callbacks were acknowledged.
//
// Promises: each promise is looked for in the files and asked for over HTTP; what is wrong comes back in words, at most
// ten of a kind, so that a lost segment does not print a thousand lines.
// Must not know: what happened to the log in between.

import Foundation

extension CallbackLoad {
    /// What of the promises is not in these files, or stands there otherwise than it was sent.
    public func violations(in log: LogReader) -> [String] {
        var found: [String: [LogLine]] = [:]
        for line in log.records { if let identifier = line.requestIdentifier { found[identifier, default: []].append(line) } }
        var wrong: [String] = []
        for identifier in order {
            guard let promise = acknowledged[identifier] else { continue }
            let lines = found[identifier] ?? []
            if !promise.sequences.isSubset(of: lines.compactMap(\.sequence)) {
                wrong.append("\(identifier) was acknowledged as \(promise.sequences.sorted()) and stands at \(lines.map(\.sequence))")
            }
            if lines.count > promise.sequences.count && !mayStoreTwice { wrong.append("\(identifier) stands \(lines.count) times") }
            if lines.contains(where: { $0.payload != promise.payload }) { wrong.append("\(identifier) stands otherwise than it was sent") }
        }
        for (identifier, lines) in found where acknowledged[identifier] == nil && lines.count > 1 && !mayStoreTwice {
            wrong.append("\(identifier), not acknowledged, stands \(lines.count) times")
        }
        return Self.few(violations) + Self.few(wrong)
    }

    /// What of the promises the server does not answer for. A 503 with Retry-After is asked again until the deadline.
    public func wrongAnswers(of server: ServerProcess, withinSeconds seconds: Double = 20) throws -> [String] {
        var wrong: [String] = []
        let deadline = Deadline(seconds: seconds)
        let connection = try server.connect()
        for start in stride(from: 0, to: order.count, by: 30) {
            var group = Array(order[start..<min(start + 30, order.count)])
            while !group.isEmpty {
                try connection.send(group.flatMap { requestBytes("GET", "/v1/requests/\($0)") })
                var again: [String] = []
                for identifier in group {
                    let answer = try connection.readAnswer()
                    if answer.status == 503, answer["Retry-After"].flatMap({ Int($0) }) ?? 0 > 0, !deadline.hasPassed {
                        again.append(identifier)
                    } else if !isRight(answer, identifier) {
                        wrong.append("\(identifier), acknowledged as \(acknowledged[identifier]?.sequences.sorted() ?? []): \(answer.status) \(answer.text)")
                    }
                }
                group = again
                if !group.isEmpty { waitBetweenPolls() }
            }
        }
        return Self.few(wrong)
    }

    private func isRight(_ answer: Answer, _ identifier: String) -> Bool {
        guard answer.status == 200, let promise = acknowledged[identifier], let status = try? answer.object() else { return false }
        return status.string("status") == "sent" && status.string("request_id") == identifier
            && (status.integer("callbacks") == promise.sequences.count || mayStoreTwice)
            && (status.integer("sequence") == promise.sequences.max() || mayStoreTwice)
    }

    /// Sends every acknowledged callback again.
    /// - Returns: those that were not answered as the duplicate they are; 503 is asked again until the deadline.
    public func wrongRetries(on server: ServerProcess, withinSeconds seconds: Double = 20) throws -> [String] {
        var wrong: [String] = []
        let deadline = Deadline(seconds: seconds)
        let connection = try server.connect()
        for identifier in order {
            guard let promise = acknowledged[identifier] else { continue }
            var answer: Answer
            repeat {
                try connection.send(postBytes(promise.payload))
                answer = try connection.readAnswer()
            } while answer.status == 503 && !deadline.hasPassed
            let object = try? answer.object()
            let isKnown = object?.integer("sequence").map(promise.sequences.contains) ?? false
            if answer.status != 200 || object?["duplicate"] != "true" || !isKnown {
                wrong.append("\(identifier), acknowledged as \(promise.sequences.sorted()), again: \(answer.status) \(answer.text)")
            }
        }
        return Self.few(wrong)
    }

    private static func few(_ texts: [String]) -> [String] {
        texts.count > 10 ? texts.prefix(10) + ["… and \(texts.count - 10) more"] : texts
    }
}
