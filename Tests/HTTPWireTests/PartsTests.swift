// The parts that stand for themselves: dates, percent-encoding, segments, parameters, byte classes.

import Testing

@testable import HTTPWire

@Suite("The parts of a message")
struct PartsTests {
    @Test(
        "a date is written as RFC 9110 §5.6.7 has it",
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"), (1_779_301_225, "Wed, 20 May 2026 18:20:25 GMT"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"), (1_735_689_600, "Wed, 01 Jan 2025 00:00:00 GMT"),
            (HTTPDate.unixSecondsMax, "Fri, 31 Dec 9999 23:59:59 GMT"), (Int64.max, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (-1, "Thu, 01 Jan 1970 00:00:00 GMT"), (Int64.min, "Thu, 01 Jan 1970 00:00:00 GMT"),
        ])
    func dates(seconds: Int64, text: String) {
        var output: [UInt8] = []
        HTTPDate(unixSeconds: seconds).append(to: &output)
        #expect(String(decoding: output, as: UTF8.self) == text)
    }

    @Test("every day of 400 years follows the one before")
    func calendar() {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        var (year, month, day) = (1970, 0, 1)
        for days in 0..<146_097 {
            var output: [UInt8] = []
            HTTPDate(unixSeconds: Int64(days) * 86_400 + 3_661).append(to: &output)
            let expected = "\(weekdays[days % 7]), \(day < 10 ? "0" : "")\(day) \(months[month]) \(year) 01:01:01 GMT"
            if output != Array(expected.utf8) {
                #expect(String(decoding: output, as: UTF8.self) == expected)
                return
            }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let length = month == 1 ? (isLeap ? 29 : 28) : [3, 5, 8, 10].contains(month) ? 30 : 31
            day += 1
            if day > length { (day, month) = (1, month + 1) }
            if month == 12 { (month, year) = (0, year + 1) }
        }
        #expect(year == 2370)
    }

    @Test(
        "percent-encoding is decoded once, and refused where it is broken",
        arguments: [
            ("", ""), ("abc", "abc"), ("a%2Fb", "a/b"), ("%41%7a", "Az"), ("%252F", "%2F"), ("a+b", "a+b"),
            ("%C3%a9", "é"), ("%00", "\u{0}"), ("%", nil), ("%4", nil), ("a%4g", nil), ("%g4", nil), ("%%41", nil),
            ("%+1", nil), ("% 1", nil),
        ] as [(String, String?)])
    func decoding(encoded: String, decoded: String?) {
        var output = Array("x".utf8)
        let bytes = Array("/%41\(encoded)41".utf8)
        let isSound = PercentEncoding.decode(bytes.span, at: 4..<bytes.count - 2, into: &output)
        #expect(isSound == (decoded != nil))
        #expect(output == Array("x\(decoded ?? "")".utf8))
    }

    @Test(
        "a path is split at its slashes before it is decoded",
        arguments: [
            ("/", [""]), ("/a", ["a"]), ("/a/", ["a", ""]), ("//", ["", ""]), ("/v1/requests/a%2Fb", ["v1", "requests", "a%2Fb"]),
            ("/./..", [".", ".."]), ("*", []), ("", []),
        ] as [(String, [String])])
    func segments(path: String, expected: [String]) {
        let bytes = Array("GET \(path)?/q".utf8)
        var segments = PathSegments(of: 4..<4 + path.utf8.count, in: bytes.span)
        var found: [String] = []
        while let segment = segments.next(in: bytes.span) { found.append(String(decoding: bytes[segment], as: UTF8.self)) }
        #expect(found == expected)
        #expect(segments.next(in: bytes.span) == nil)
    }

    @Test(
        "a query is split at its ampersands, and at the first equals sign of each",
        arguments: [
            ("", []), ("a=1", ["a:1"]), ("a=1&b=2", ["a:1", "b:2"]), ("a", ["a:"]), ("a=", ["a:"]), ("=b", [":b"]), ("=", [":"]),
            ("a=b=c", ["a:b=c"]), ("&&a=1&&b&", ["a:1", "b:"]), ("a=1+2%26", ["a:1+2%26"]), ("a=1;b=2", ["a:1;b=2"]),
            ("a=1&a=2", ["a:1", "a:2"]),
        ] as [(String, [String])])
    func parameters(query: String, expected: [String]) {
        let bytes = Array("/?\(query) HTTP/1.1&x=y".utf8)
        var parameters = QueryParameters(of: 2..<2 + query.utf8.count)
        var found: [String] = []
        while let parameter = parameters.next(in: bytes.span) {
            let name = String(decoding: bytes[parameter.name], as: UTF8.self)
            found.append(name + ":" + String(decoding: bytes[parameter.value], as: UTF8.self))
        }
        #expect(found == expected)
        #expect(parameters.next(in: bytes.span) == nil)
        var none = QueryParameters(of: nil)
        #expect(none.next(in: bytes.span) == nil)
    }

    @Test("the byte classes are those of the grammar, for all 256 bytes")
    func byteClasses() {
        let alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        let token = Set((alphanumeric + "!#$%&'*+-.^_`|~").utf8)
        let registeredName = Set((alphanumeric + "-._~" + "!$&'()*+,;=").utf8)
        for byte in UInt8.min...UInt8.max {
            #expect(Byte.isToken(byte) == token.contains(byte))
            #expect(Byte.isRegisteredName(byte) == registeredName.contains(byte))
            #expect(Byte.isVisible(byte) == (0x21...0x7E).contains(byte))
            #expect(Byte.isFieldContent(byte) == (byte == 9 || (byte >= 0x20 && byte != 0x7F)))
            let digit = String(decoding: [byte], as: UTF8.self)
            #expect(Byte.hexDigit(byte) == (byte < 0x80 && digit != "+" && digit != "-" ? UInt8(digit, radix: 16) : nil))
        }
    }

    @Test("the first control byte is found wherever it stands, and no other byte is taken for one")
    func firstControl() {
        for byte in UInt8.min...UInt8.max {
            let isControl = byte < 0x20 || byte == 0x7F
            for place in 0..<19 {
                // 0x20, 0x7E and 0x80 are the neighbours of control bytes.
                var bytes = (0..<19).map { [0x20, 0x7E, 0x80, 0x61, 0xFF][$0 % 5] as UInt8 }
                bytes[place] = byte
                #expect(bytes.span.firstControl(from: 0, to: 19) == (isControl ? place : 19))
                #expect(bytes.span.firstControl(from: place + 1, to: 19) == 19)
                #expect(bytes.span.firstControl(from: 0, to: place) == place)
            }
        }
    }
}
