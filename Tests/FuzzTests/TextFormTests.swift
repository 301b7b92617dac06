// What the fuzzer's text forms stand for, and that the properties can be broken at all.
//
// Promises: each claim is about bytes that are written out here.
// Must not know: libFuzzer.

import HTTPWire
import Testing

@testable import FuzzTargets

@Suite("The fuzz targets do what they say")
struct TextFormTests {
    @Test("a line with a placeholder gets its checksum, every other line stays as it is")
    func segments() {
        let text = "{\"received_at\":\"x\",\"crc32c\":\"xxxxxxxx\"}\nother,\"crc32c\":\"00000000\"}\n@42\n\n@7.torn\nlast"
        let files = SegmentText.files(Array(text.utf8)).mapValues { String(decoding: $0, as: UTF8.self) }
        #expect(files == [
            "00000000000000000001.jsonl": "{\"received_at\":\"x\",\"crc32c\":\"481a4989\"}\nother,\"crc32c\":\"00000000\"}\n",
            "00000000000000000042.jsonl": "\n", "00000000000000000007.jsonl.torn": "last",
        ])
        #expect(SegmentText.checksum(Array("123456789".utf8)[...]) == 0xE306_9283)
    }

    @Test("what is changed in an index file has its right checksum, unless that is to be wrong")
    func index() {
        let file = [UInt8](repeating: 0, count: 2 * 4_096)
        let text = IndexText(Array("records 5\nids 3\nmask ff\n1 2 a1B\n!0 4091 07\n1 4092 01\n9 0 01\nnonsense 1\npages 3\nbytes 9000\n".utf8))
        #expect(text.records == 5 && text.ids == 3 && text.mask == 0xFF && text.numbers == [0xA1, 7, 1])
        let changed = text.changed(file)
        #expect(changed.count == 9_000)
        #expect(changed[4_098] == 0xA1 && changed[4_099] == 0 && changed[4_091] == 7)
        // The checksums of page 0, left as it was, and of page 1.
        #expect(changed[4_092..<4_096].elementsEqual([0, 0, 0, 0]))
        #expect(changed[8_188..<8_192].elementsEqual([0xF7, 0xF8, 0x92, 0xE0]))
    }

    @Test("a conversation is a preface and frames, whose lengths fit")
    func conversation() {
        let text = "@SETTINGS\n4=65535\n@HEADERS 1 end\n:path: /\n!82\n@DATA 3 end\na\nb\n@RST_STREAM 5\n8\n@16 0\nx\n@RAW\nraw"
        let bytes = ConversationText.steps(Array(text.utf8)).flatMap { step in
            if case .bytes(let bytes) = step { bytes } else { [] as [UInt8] }
        }
        let expected: [[UInt8]] = [
            Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8), [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0xFF, 0xFF],
            [0, 0, 10, 1, 5, 0, 0, 0, 1, 0, 5], Array(":path".utf8), [1, 0x2F, 0x82],
            [0, 0, 3, 0, 1, 0, 0, 0, 3, 0x61, 0x0A, 0x62], [0, 0, 4, 3, 0, 0, 0, 0, 5, 0, 0, 0, 8],
            [0, 0, 1, 16, 0, 0, 0, 0, 0, 0x78], Array("raw".utf8),
        ]
        #expect(bytes == expected.flatMap { $0 })
    }

    @Test("what does not begin with a frame is what it is")
    func raw() {
        let steps = ConversationText.steps(Array("GET /\n@x".utf8))
        guard case .bytes(let bytes)? = steps.first else { return #expect(Bool(false), "no bytes come first") }
        #expect(bytes == Array("GET /".utf8))
        #expect(steps.count == 2)
    }

    @Test("an answer that was split, cut or lengthened breaks a property", arguments: [
        "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 1\r\nX-Quoted: a\nb\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 1\r\nX-Quoted: a\r\n\r\nxx",
        "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\nX-Quoted: a\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 1\r\nX-Quoted: a\r\nA: b\r\nC: d\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 1\r\nX-Quoted: \u{1}\r\n\r\nx",
    ])
    func answer(text: String) throws {
        var response = Response()
        response.fields = [Response.Field(name: "X-Quoted", value: "a")]
        response.body = [0x78]
        let sound = Array("HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 1\r\nX-Quoted: a\r\n\r\nx".utf8)
        try HTTP1Answer.check(sound[...], of: response, isHead: false)
        #expect(throws: BrokenProperty.self) { try HTTP1Answer.check(Array(text.utf8)[...], of: response, isHead: false) }
    }

    @Test("frames that are cut, unknown or on no stream break a property", arguments: [
        [0, 0, 0, 4, 0, 0, 0, 0], [0, 0, 1, 4, 0, 0, 0, 0, 0], [0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 1],
        [0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 1],
    ] as [[UInt8]])
    func frames(bytes: [UInt8]) {
        #expect(throws: BrokenProperty.self) {
            var frames = HTTP2Frames()
            _ = try frames.take(bytes, sentTo: [])
        }
    }

    @Test("the corpus of HTTP/1.1 reaches every refusal that bytes alone can cause")
    func refusals() throws {
        var reached: Set<Refusal> = []
        for input in CommittedInput.all(in: "Corpus", of: .http1) {
            for limits in HTTP1Properties.limits {
                let outcome = try HTTP1Outcome(of: input.bytes, cutAt: [], limits)
                if let refusal = outcome.refusal { reached.insert(refusal) }
            }
        }
        // The caller's to say, and HTTP/2's.
        let others: Set<Refusal> = [.endedEarly, .headTimeout, .bodyTimeout, .differingHost]
        #expect(Set(Refusal.allCases).subtracting(reached) == others)
    }
}
