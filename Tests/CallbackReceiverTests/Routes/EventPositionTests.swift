// Where an event stream begins, by the table at EventPosition's head.

import Testing

@testable import CallbackReceiver

@Suite("Where events begin")
struct EventPositionTests {
    static let here = "00112233445566778899aabbccddeeff"
    static let other = "ffeeddccbbaa99887766554433221100"
    /// Records 10 to 20.
    static let extent = EventPosition.Extent(logID: here, first: 10, durable: 20)

    static let rows: [(field: String?, after: String?, next: UInt64, isGap: Bool)] = [
        (nil, nil, 21, false), ("", nil, 21, false), (nil, "20", 21, false), (nil, "19", 20, false), (nil, "9", 10, false), (nil, "8", 10, true),
        (nil, "0", 10, true), (nil, "21", 21, true), (nil, "18446744073709551615", 21, true), (nil, "\(here)-15", 16, false), (nil, "\(here)-8", 10, true),
        (nil, "\(here)-99", 21, true), (nil, "\(other)-15", 10, true), ("15", "17", 16, false), ("\(here)-15", "x", 16, false), ("x", "17", 10, true),
        ("-1", nil, 10, true), ("\(here)", nil, 10, true), ("\(here)-", nil, 10, true), ("\(here.uppercased())-15", nil, 10, true), ("", "17", 18, false),
    ]

    @Test("each position", arguments: rows)
    func position(row: (field: String?, after: String?, next: UInt64, isGap: Bool)) throws {
        let position = try EventPosition(lastEventID: row.field.map { Array($0.utf8) }, after: row.after.map { Array($0.utf8) }, in: Self.extent)
        #expect(position.next == row.next)
        #expect(position.gapBehind.map { String(decoding: $0, as: UTF8.self) } == (row.isGap ? (row.field?.isEmpty == false ? row.field : row.after) : nil))
    }

    @Test("a parameter that is no position", arguments: ["", "x", "-1", "+1", "1-", "1.5", "18446744073709551616", "\(here)", "\(here)-", "\(here)-x", "\(here)_15"])
    func wrong(after: String) {
        #expect(throws: ParameterFault.self) { try EventPosition(lastEventID: nil, after: Array(after.utf8), in: Self.extent) }
    }

    @Test("a log without records")
    func empty() throws {
        let extent = EventPosition.Extent(logID: Self.here, first: 1, durable: 0)
        #expect(try EventPosition(lastEventID: nil, after: nil, in: extent) == EventPosition(lastEventID: nil, after: Array("0".utf8), in: extent))
        #expect(try EventPosition(lastEventID: Array("5".utf8), after: nil, in: extent).next == 1)
    }

    @Test("events as text")
    func text() {
        var output: [UInt8] = []
        EventText.append(logID: Self.here, sequence: 7, status: .overdue, to: &output) { $0.append(contentsOf: "{}".utf8) }
        EventText.appendGap(logID: Self.here, after: Array("a\n\"".utf8), next: 9, to: &output)
        #expect(
            String(decoding: output, as: UTF8.self)
                == "id: \(Self.here)-7\nevent: overdue\ndata: {}\n\nid: \(Self.here)-8\nevent: gap\ndata: {\"after\":\"a\\n\\\"\",\"next\":9}\n\n")
    }
}
