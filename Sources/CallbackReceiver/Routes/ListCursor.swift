// Where a page of GET /v1/requests begins: opaque to whoever pages.
//
//     position "." last "." check
//
//     position    the durable position when the first page was made: every page shows the requests as of it
//     last        the sequence of the record that the page before ended with; the next one begins behind it
//     check       16 hex digits: the log's keyed hash of both and of the filters
//
// Promises: what somebody made up, or took from other filters or another log, is told apart by the check, whose key
// nobody outside knows. Must not know: what is listed.

import CallbackLog
import Platform

struct ListCursor: Equatable {
    let position: UInt64
    let last: UInt64

    init(position: UInt64, last: UInt64) {
        self.position = position
        self.last = last
    }

    /// Nil where `text` is no cursor of this log for these filters.
    init?(_ text: [UInt8], filters: RequestFilters, log: CallbackLog) {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let position = Parameters.wholeNumber(Array(parts[0])), let last = Parameters.wholeNumber(Array(parts[1]))
        else { return nil }
        self.init(position: position, last: last)
        guard self.text(filters: filters, log: log) == text else { return nil }
    }

    func text(filters: RequestFilters, log: CallbackLog) -> [UInt8] {
        var text: [UInt8] = []
        text.append(decimal: position)
        text.append(".")
        text.append(decimal: last)
        text.append(".")
        Hexadecimal.append(log.hash(of: (text + filters.text).span), digits: 16, to: &text)
        return text
    }
}
