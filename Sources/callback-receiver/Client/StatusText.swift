// What became of a request, for a person at a terminal.
//
// Promises: the first line is id and status; below it, indented, what the answer has and nothing that it has not. Nothing
// that came from outside can steer the terminal.
// Must not know: where the answer came from.

import CallbackReceiver

enum StatusText {
    static func text(of answer: AnswerObject, _ status: RequestStatus) -> String {
        var lines = ["\(answer.string("request_id") ?? ""): \(status.name)"]
        func add(_ name: String, _ value: String?) {
            guard let value else { return }
            lines.append("  " + name + String(repeating: " ", count: max(1, 12 - name.count)) + value)
        }
        if let failure = answer.object("failure") {
            add("why", failure.string("message"))
            add("what to do", failure.string("advice"))
            add("class", failure.string("class"))
            if failure.text("retryable") == "true" {
                add("try again", failure.text("retry_after_seconds").flatMap(Int.init).map { "after \(duration(seconds: $0))" } ?? "later")
            } else {
                add("try again", "no, not as it is")
            }
        }
        add("message", answer.string("whatsapp_message_id"))
        add("session", answer.string("session_id"))
        add("fingerprint", answer.text("crisp_fingerprint"))
        add("reference", answer.string("reference"))
        add("metadata", answer.text("metadata").flatMap { $0 == "{}" ? nil : $0 })
        add("announced", answer.string("announced_at"))
        if !status.isFinal { add(status == .overdue ? "overdue since" : "overdue at", answer.string("overdue_at")) }
        add("callback", answer.string("received_at").map { $0 + count(answer) })
        return lines.map { printable($0) + "\n" }.joined()
    }

    private static func count(_ answer: AnswerObject) -> String {
        guard let count = answer.text("callbacks").flatMap(Int.init), count > 1 else { return "" }
        return ", the newest of \(count)"
    }

    /// In the largest unit that divides it: `24 hours`, `5 minutes`.
    private static func duration(seconds: Int) -> String {
        for (unit, length) in [("day", 172_800), ("hour", 3_600), ("minute", 60)] where seconds >= length && seconds % (unit == "day" ? 86_400 : length) == 0 {
            return Counted.text(seconds / (unit == "day" ? 86_400 : length), unit)
        }
        return Counted.text(seconds, "second")
    }
}
