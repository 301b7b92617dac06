// Server-sent events as the standard has them, and what follow makes of each.

import Testing

@testable import callback_receiver

@Suite("Server-sent events")
struct EventReaderTests {
    /// The events of `text` in pieces of so many bytes, and the last id.
    private func events(_ text: String, each: Int) -> ([ServerEvent], String?) {
        var reader = EventReader()
        var events: [ServerEvent] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: each) {
            do throws(EventFailure<Never>) {
                try reader.take(Array(bytes[start..<min(bytes.count, start + each)])) { (event) throws(Never) in events.append(event) }
            } catch {
                Issue.record("\(error)")
            }
        }
        return (events, reader.lastID)
    }

    private func event(_ name: String, _ data: String, _ id: String?) -> ServerEvent {
        ServerEvent(name: name, data: Array(data.utf8), id: id)
    }

    @Test("events, comments, ids and line ends of every kind, however they are split", arguments: ["\n", "\r\n", "\r"])
    func standard(end: String) {
        let lines = [
            "\u{FEFF}: hello", "id: log-1", "event: sent", "data: {\"a\":1}", "", ": still here", "", "data", "data:  two", "id", "", "id: log-3",
            "unknown: x", "retry: 5", "", "event: none", "", "data: x", "", "id: a\0b", "data: y", "", "data: never ended",
        ]
        let text = lines.joined(separator: end) + end
        for each in 1...text.utf8.count {
            let (events, lastID) = events(text, each: each)
            #expect(
                events == [
                    event("sent", "{\"a\":1}", "log-1"), event("message", "\n two", ""), event("message", "x", "log-3"), event("message", "y", "log-3"),
                ], "in pieces of \(each)")
            #expect(lastID == "log-3")
        }
    }

    @Test("an event without end is a failure, not memory")
    func endless() {
        var reader = EventReader()
        let piece = [UInt8](repeating: 0x78, count: EventReader.eventBytesMax / 4)
        #expect(throws: EventFailure<Never>.self) {
            for _ in 0..<5 { try reader.take(piece) { (_) throws(Never) in } }
        }
    }

    private func step(_ following: inout StreamPosition, _ name: String, _ data: String, _ id: String?) -> StreamPosition.Step {
        following.take(event(name, data, id))
    }

    @Test("each event is shown once; one of another log is another")
    func once() {
        var following = StreamPosition()
        #expect(step(&following, "sent", "1", "a-1") == .show(Array("1".utf8)))
        #expect(step(&following, "sent", "1", "a-1") == .nothing)
        #expect(step(&following, "failed", "2\n3", "a-3") == .show(Array("2 3".utf8)))
        #expect(step(&following, "sent", "2", "a-2") == .nothing)
        #expect(following.lastID == "a-3")
        #expect(step(&following, "sent", "1", "b-1") == .show(Array("1".utf8)))
        #expect(following.lastID == "b-1")
    }

    @Test("a gap is told and moves the position, also back")
    func gap() {
        var following = StreamPosition()
        _ = step(&following, "sent", "x", "a-10")
        guard case .tell(let text) = step(&following, "gap", #"{"after":"a-10","next":5}"#, "b-4") else {
            Issue.record("a gap is told")
            return
        }
        #expect(text.contains("a-10") && text.hasSuffix("going on with 5"))
        #expect(following.lastID == "b-4")
        #expect(step(&following, "sent", "y", "b-5") == .show(Array("y".utf8)))
    }

    @Test("where the stream begins is a position, until an event has one; what cannot stand in a field is none")
    func begin() {
        var following = StreamPosition()
        following.begin(at: nil)
        following.begin(at: "a\u{7}-1")
        #expect(following.lastID == nil)
        following.begin(at: "a-7")
        following.begin(at: "a-3")
        #expect(following.lastID == "a-7")
        #expect(step(&following, "sent", "x", "é-8") == .show(Array("x".utf8)))
        #expect(following.lastID == "a-7")
    }
}
