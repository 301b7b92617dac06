// The table of query parameters: every one with what it may be and what it may not, and what is said of it (API.md §4).

import HTTPWire
import TestSupport
import Testing

@testable import CallbackLog
@testable import CallbackReceiver

@Suite("Query parameters")
struct ParameterTests {
    private func read(_ query: String, known: [Parameter] = Parameter.allCases) throws -> Parameters {
        var session = HTTP1Session(limits: HTTPLimits())
        var request = Request()
        var position = 0
        let bytes = requestBytes("GET", "/v1/requests?" + query)
        #expect(session.receive(bytes.span, at: &position, into: &request) == .request)
        return try Parameters(request, known: known)
    }

    private static let possible: [(String, [String])] = [
        ("limit", ["1", "1000", "007"]), ("cursor", ["", "x", "1.2.3"]), ("after", ["", "0", "42", "0123-42"]),
        ("since", ["2026-05-20T18:20:25Z", "2026-05-20T18:20:25.031Z", "2026-05-20T18:20:25.123456789z", "2026-05-20T20:20:25+02:00", "2026-05-20T18%3A20:25-00:00"]),
        ("until", ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "2024-02-29t00:00:00Z"]),
        ("status", ["sent", "failed", "unrecognized", "pending", "overdue"]), ("class", ["unknown", "retry_later"]),
        ("reference", ["a", "%20", "%C3%A9", "a+b", String(repeating: "a", count: 128)]), ("session_id", ["s", String(repeating: "a", count: 512)]),
        ("whatsapp_message_id", ["wamid.HBg%3D"]), ("crisp_fingerprint", ["0", "163239623329114", "-7", String(repeating: "9", count: 40)]),
        ("wait", ["0", "30", "0.5", "00.250", "999999999999999999999999"]), ("interval", ["minute", "hour", "day"]), ("format", ["jsonl", "csv"]),
        ("unauthorized", ["true", "false"]),
    ]
    private static let impossible: [(String, [String])] = [
        ("limit", ["", "0", "1001", "-1", "+1", "1.0", "x", "9999999999999999999", "%31%", "1%20"]),
        ("since", ["", "2026-05-20", "2026-05-20T18:20:25", "2026-05-20%2018:20:25Z", "2026-02-29T00:00:00Z", "2026-05-20T18:20:25%2002:00", "2026-05-20T24:00:00Z", "now", "1747765225"]),
        ("until", ["2026-05-20T18:20:25.Z", "2026-05-20T18:20:60Z"]), ("status", ["", "Sent", "delivered", "sent,failed"]), ("class", ["", "none", "Template"]),
        ("reference", ["", "%FF", String(repeating: "a", count: 129)]), ("session_id", ["", "%ED%A0%80", String(repeating: "a", count: 513)]),
        ("whatsapp_message_id", ["", "%C3"]), ("crisp_fingerprint", ["", "-", "01", "1.5", "1e3", "+1", "x"]),
        ("wait", ["", "-1", "abc", "1s", ".5", "1.", "1.2.3", "+1", "1e1", "NaN"]), ("interval", ["", "week", "Hour"]), ("format", ["", "xml", "CSV"]),
        ("unauthorized", ["", "1", "True"]),
    ]

    @Test("what is possible is taken")
    func taken() throws {
        for (name, values) in Self.possible {
            for value in values { #expect(throws: Never.self, "\(name)=\(value)") { try read("\(name)=\(value)") } }
        }
        #expect(Set(Self.possible.map(\.0)) == Set(Parameter.allCases.map(\.name)))
    }

    @Test("what is not is refused with a sentence that names the parameter and does not repeat the value")
    func refused() throws {
        for (name, values) in Self.impossible {
            for value in values {
                do {
                    _ = try read("\(name)=\(value)")
                    Issue.record("was taken: \(name)=\(value)")
                } catch let fault as ParameterFault {
                    #expect(fault.detail.hasPrefix(name) || fault.detail.contains("%"), "\(name)=\(value): \(fault.detail)")
                    #expect(fault.detail.hasSuffix("."))
                }
            }
        }
    }

    @Test("a parameter that the route does not know, one given twice, a wrong encoding")
    func structure() {
        #expect(throws: ParameterFault.self) { try read("limit=1", known: [.cursor]) }
        #expect(throws: ParameterFault.self) { try read("limit=1", known: []) }
        #expect(throws: ParameterFault.self) { try read("Limit=1") }
        #expect(throws: ParameterFault.self) { try read("limit=1&limit=1") }
        #expect(throws: ParameterFault.self) { try read("limit=1&li%6Dit=2") }
        #expect(throws: ParameterFault.self) { try read("%6=1") }
        #expect(throws: Never.self) { try read("&li%6Dit=1&&wait=1&") }
    }

    @Test("values come out as they are meant")
    func values() throws {
        let parameters = try read("since=2026-05-20T20:20:25.0319+02:00&wait=0.25&crisp_fingerprint=-7&reference=a%2Bb+c&status=overdue&limit=7&format=csv&interval=day")
        #expect(parameters.filter.since == Timestamp(rfc3339: "2026-05-20T18:20:25.032Z"))
        #expect(parameters.filter.keys.map { String(decoding: $0.value, as: UTF8.self) } == ["-7", "a+b+c"])
        #expect(parameters.filter.keys.map(\.kind) == [.crispFingerprint, .reference])
        #expect(parameters.filter.status == .overdue && parameters.waitMilliseconds == 250 && parameters.limit == 7)
        #expect(parameters.format == .csv && parameters.interval == .day)
        #expect(try read("wait=50.001").waitMilliseconds == 50_000 && read("wait=1000000").waitMilliseconds == 50_000)
    }

    @Test("the same filters have the same text, other filters another")
    func filterText() throws {
        let texts = try [
            "", "status=sent", "status=failed", "class=unknown", "since=2026-05-20T18:20:25Z", "until=2026-05-20T18:20:25Z", "reference=a", "session_id=a",
            "reference=a&session_id=b", "reference=b&session_id=a",
        ].map { try read($0).filter.text }
        #expect(Set(texts).count == texts.count)
        #expect(try read("session_id=b&reference=a&limit=3").filter.text == texts[8])
        #expect(try read("since=2026-05-20T20:20:25%2B02:00").filter.text == texts[4])
    }
}
