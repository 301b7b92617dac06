// Where in the log an event stream begins or goes on (API.md §4).
//
//     asked                                        goes on with
//     nothing                                      the next record
//     {log id}-{sequence} of this log, {sequence}  the record behind it
//     … behind which the next is gone              a gap, then the first record there is
//     … that is ahead of the log                   a gap, then the next record
//     an id of another log                         a gap, then the first record there is
//     a Last-Event-ID that cannot be read          likewise: a browser repeats what it was given, whoever gave it
//     such an ?after=                              400
//
// Promises: Last-Event-ID wins over the query, since a client that reconnects sends both. Must not know: how records are read.

import Platform

struct EventPosition: Equatable {
    /// The sequence of the next record wanted.
    let next: UInt64
    /// What was asked, where it was not `next` that comes behind it: a gap to be told.
    let gapBehind: [UInt8]?

    /// The part of the log that positions are about.
    struct Extent {
        /// 32 hex digits.
        let logID: String
        /// Of the first record there is; one above `durable` where there is none.
        let first: UInt64
        let durable: UInt64
    }

    /// - Parameters:
    ///   - lastEventID: the field's value; an empty one says nothing.
    ///   - after: the parameter.
    init(lastEventID: [UInt8]?, after: [UInt8]?, in extent: Extent) throws(ParameterFault) {
        if let lastEventID, !lastEventID.isEmpty {
            self = Self.behind(EventID(lastEventID), asked: lastEventID, in: extent)
        } else if let after {
            guard let id = EventID(after) else { throw ParameterFault(detail: "\(Parameter.after.name) \(Parameter.after.possible)") }
            self = Self.behind(id, asked: after, in: extent)
        } else {
            self.init(next: extent.durable + 1, gapBehind: nil)
        }
    }

    private init(next: UInt64, gapBehind: [UInt8]?) {
        self.next = next
        self.gapBehind = gapBehind
    }

    private static func behind(_ id: EventID?, asked: [UInt8], in extent: Extent) -> EventPosition {
        guard let id, id.logID.map({ $0 == extent.logID }) ?? true else { return EventPosition(next: extent.first, gapBehind: asked) }
        if id.sequence > extent.durable { return EventPosition(next: extent.durable + 1, gapBehind: asked) }
        if id.sequence + 1 < extent.first { return EventPosition(next: extent.first, gapBehind: asked) }
        return EventPosition(next: id.sequence + 1, gapBehind: nil)
    }
}

/// `{log id}-{sequence}`, or a sequence alone.
struct EventID {
    /// Nil where a sequence stands alone.
    let logID: String?
    let sequence: UInt64

    init?(_ text: [UInt8]) {
        if let sequence = Self.sequence(text[...]) {
            self.init(logID: nil, sequence: sequence)
            return
        }
        let idBytes = 32
        guard text.count > idBytes + 1, text[idBytes] == UInt8(ascii: "-"), let sequence = Self.sequence(text[(idBytes + 1)...]),
            text[..<idBytes].allSatisfy({ 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 })
        else { return nil }
        self.init(logID: String(decoding: text[..<idBytes], as: UTF8.self), sequence: sequence)
    }

    /// Any that fits: one that no log can have is ahead of it.
    private static func sequence(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard !digits.isEmpty, digits.allSatisfy({ 48...57 ~= $0 }) else { return nil }
        return UInt64(String(decoding: digits, as: UTF8.self))
    }

    private init(logID: String?, sequence: UInt64) {
        self.logID = logID
        self.sequence = sequence
    }

    static func append(_ logID: String, _ sequence: UInt64, to output: inout [UInt8]) {
        output.append(contentsOf: logID.utf8)
        output.append(UInt8(ascii: "-"))
        output.append(decimal: sequence)
    }
}
