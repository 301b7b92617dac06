// The scanner against the committed cases, and where it says that a fault is.

import CrispCallback
import JSONReference
import Testing

@Suite("grammar")
struct GrammarTests {
    /// A verdict as the corpus spells it.
    private func verdict(_ text: [UInt8]) -> String {
        switch rejection(text) {
        case nil: "valid"
        case .malformed(_, let fault): "\(fault)"
        case .nestedTooDeep: "nestedTooDeep"
        }
    }

    @Test("the corpus is there and knows every fault")
    func corpus() {
        let verdicts = Set(CorpusCase.grammar.map(\.verdict))
        #expect(verdicts == Set(JSONFault.allCases.map { "\($0)" } + ["valid", "nestedTooDeep"]))
        #expect(
            Set(CorpusCase.foundationDiffers.compactMap(\.difference))
                == Set(FoundationDifference.allCases.map(\.rawValue)))
    }

    @Test("a committed case gets its verdict", arguments: CorpusCase.grammar)
    func committed(test: CorpusCase) {
        #expect(verdict(test.bytes) == test.verdict)
        // The slow parser agrees, so that what the generated cases are held against is held as well.
        switch JSONTreeParser.parse(test.bytes) {
        case .success: #expect(test.verdict == "valid")
        case .failure(.tooDeep): #expect(test.verdict == "nestedTooDeep")
        case .failure(.notUTF8), .failure(.grammar): #expect(test.verdict != "valid" && test.verdict != "nestedTooDeep")
        }
    }

    @Test("a committed valid case is taken wherever it stands in a callback", arguments: CorpusCase.grammar)
    func committedValidWithin(test: CorpusCase) {
        guard test.verdict == "valid", !test.bytes.starts(with: [0xEF, 0xBB, 0xBF]), !test.name.hasPrefix("64 deep")
        else { return }
        for place in ["note", "error", "errors", "data", "message", "code"] {
            let body = bytes("{\"request_id\":\"r\",\"\(place)\":") + test.bytes + bytes("}")
            #expect(decoderVerdict(body) == CallbackReference.verdict(body), "\(place)")
            #expect((try? take(body).get()) != nil, "\(place)")
        }
    }

    @Test("a committed invalid case is refused wherever it stands", arguments: CorpusCase.grammar)
    func committedInvalidWithin(test: CorpusCase) {
        // Some are invalid only as a text: white space alone, or a second value, can be cured by what follows.
        guard !["valid", "empty", "trailingBytes"].contains(test.verdict) else { return }
        for place in ["note", "error", "errors", "data", "message", "request_id"] {
            let body = bytes("{\"request_id\":\"r\",\"\(place)\":") + test.bytes
            #expect(decoderVerdict(body) == CallbackReference.verdict(body), "\(place)")
            #expect((try? take(body).get()) == nil, "\(place)")
        }
    }

    @Test(
        "where Foundation differs, both verdicts are as the list says, and the difference is told",
        arguments: CorpusCase.foundationDiffers)
    func foundationDiffers(test: CorpusCase) {
        #expect(verdict(test.bytes) == test.verdict)
        #expect(foundationPasses(test.bytes) == (test.foundation == "takes"), "Mend the list: Foundation has changed.")
        #expect(foundationPasses(test.bytes) != (test.verdict == "valid"))
        #expect(FoundationDifference(of: test.bytes)?.rawValue == test.difference)
        #expect(test.reason?.isEmpty == false)
    }

    @Test(
        "a fault is said to be where it is, in bytes of the body",
        arguments: [
            ("", 0, .empty), ("  ", 2, .empty), ("\u{FEFF} ", 4, .empty), ("{", 1, .unexpectedEnd),
            ("{\"a\":", 5, .unexpectedEnd),
            ("\u{FEFF}{a", 4, .unexpectedByte), ("[1,]", 3, .unexpectedByte), ("[truX]", 4, .unexpectedByte),
            ("{}x", 2, .trailingBytes),
            ("[01]", 1, .malformedNumber), ("[1.]", 3, .malformedNumber), ("[1.", 3, .unexpectedEnd),
            ("[\"ab\\q\"]", 4, .malformedEscape),
            ("[\"\\u12\"]  ", 2, .malformedEscape), ("[\"\\ud83d\\u12\"]  ", 8, .malformedEscape),
            ("[\"a\nb\"]", 3, .controlCharacter), ("[\"abc", 5, .unexpectedEnd),
        ] as [(String, Int, JSONFault)])
    func offsets(text: String, offset: Int, fault: JSONFault) {
        #expect(rejection(text) == .malformed(offset: offset, fault))
    }

    @Test(
        "the offset of bad UTF-8 is the first byte of the sequence, also after whole ones",
        arguments: [
            ([0x22, 0x80, 0x22], 1), ([0x22, 0xC3, 0xA9, 0xC3, 0x22], 3), ([0x22, 0x61, 0xF0, 0x9F, 0x98], 2),
        ] as [([UInt8], Int)])
    func offsetOfUTF8(text: [UInt8], offset: Int) {
        #expect(rejection(text) == .malformed(offset: offset, .malformedUTF8))
    }

    @Test("what nests too deep is named by its opening bracket", arguments: [0, 1, 2])
    func offsetOfDepth(lead: Int) {
        let text = String(repeating: " ", count: lead) + String(repeating: "[", count: 65)
        #expect(rejection(text) == .nestedTooDeep(offset: lead + 64))
    }

    @Test(
        "the limit of 64 holds in every place that the decoder steps into",
        arguments: [
            ("{\"note\":", "}", 1), ("{\"data\":{\"note\":", "}}", 2), ("{\"error\":{\"note\":", "}}", 2),
            ("{\"errors\":[{\"note\":", "}]}", 3),
            ("{\"errors\":[0,{\"note\":", "}]}", 3), ("{\"data\":{\"error\":{\"note\":", "}}}", 3),
            ("{\"data\":{\"errors\":[{\"message\":", "}]}}", 4),
            ("{\"data\":", "}", 1), ("{\"request_id\":", "}", 1), ("{\"errors\":", "}", 1), ("{\"error\":", "}", 1),
            ("{\"data\":{\"errors\":", "}}", 2),
        ])
    func depthInPlaces(lead: String, tail: String, open: Int) {
        func body(_ depth: Int) -> String {
            lead + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + tail
        }
        #expect(take(body(64 - open)) == .failure(.noRequestID))
        #expect(take(body(65 - open)) == .failure(.nestedTooDeep(offset: lead.utf8.count + 64 - open)))
    }
}
