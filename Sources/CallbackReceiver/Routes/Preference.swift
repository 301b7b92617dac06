// How long a client would like to wait, as it says in the field Prefer (RFC 7240 §2, §4.3).
//
//     Prefer      = 1#( token [ BWS "=" BWS word ] *( OWS ";" [ OWS parameter ] ) )
//     word        = token / quoted-string
//     wait        = "wait" BWS "=" BWS delta-seconds
//
// Promises: the first `wait` counts (§2); names are compared without case; what cannot be read says nothing, as a
// preference may always be ignored. Must not know: what is waited for.

import HTTPWire

enum Preference {
    /// The seconds of the first `wait`, in milliseconds, cut as those of the query are; nil where there is none.
    static func waitMilliseconds(_ request: borrowing Request) -> Int? {
        var values: [Range<Int>] = []
        request.forEachValue(of: "prefer") { values.append($0) }
        for value in values {
            for preference in split(request.head[value], at: UInt8(ascii: ",")) {
                // Parameters behind the first semicolon belong to the preference and mean nothing here.
                let pair = split(preference, at: UInt8(ascii: ";"))[0]
                let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, isNamedWait(trimmed(parts[0])) else { continue }
                let seconds = unquoted(trimmed(parts[1]))
                return seconds.allSatisfy { 48...57 ~= $0 } ? Parameters.milliseconds(Array(seconds)) : nil
            }
        }
        return nil
    }

    private static func isNamedWait(_ name: ArraySlice<UInt8>) -> Bool { name.map { $0 | 0x20 }.elementsEqual("wait".utf8) }

    /// The pieces between separators that stand outside of quoted strings (RFC 9110 §5.6.4); at least one.
    private static func split(_ text: ArraySlice<UInt8>, at separator: UInt8) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var start = text.startIndex
        var index = text.startIndex
        var isQuoted = false
        while index < text.endIndex {
            let byte = text[index]
            if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if byte == UInt8(ascii: "\\"), isQuoted {
                index += 1
            } else if byte == separator, !isQuoted {
                pieces.append(text[start..<index])
                start = index + 1
            }
            index += 1
        }
        return pieces + [text[start...]]
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        let front = text.drop(while: isSpace)
        return front.prefix((front.lastIndex { !isSpace($0) } ?? front.startIndex - 1) + 1 - front.startIndex)
    }

    /// Without its quotes, where it has them. A backslash in them is no digit.
    private static func unquoted(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        text.count >= 2 && text.first == UInt8(ascii: "\"") && text.last == UInt8(ascii: "\"") ? text.dropFirst().dropLast() : text
    }
}
