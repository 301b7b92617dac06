// The scanner and the decoder against three others: a slow parser, a slow reading of the contract, Foundation.
//
// Promises: each generated body is judged by all; a difference names its seed and the body in hexadecimal.
// Foundation is known to differ in places: `Corpus/foundation-differs.json` lists them with the reason, and
// `FoundationDifference` says how such a text is told. Any other difference fails.

import CrispCallback
import Foundation
import JSONReference
import Testing

@Suite("generated bodies")
struct DifferentialTests {
    @Test("a text passes the scanner if and only if it passes the slow parser", arguments: Rounds.seeds)
    func scannerAgainstTree(seed: UInt64) {
        var generator = TextGenerator(seed: seed)
        for round in 0..<Rounds.casesPerSeed {
            let valid = generator.text()
            #expect(rejection(valid) == nil, "seed \(seed), round \(round): \(hexadecimal(valid))")
            let damaged = generator.damaged(valid)
            expectSameVerdict(damaged, "seed \(seed), round \(round)")
        }
    }

    @Test("the decoder says of a callback what the slow reading of the contract says", arguments: Rounds.seeds)
    func decoderAgainstReference(seed: UInt64) {
        var generator = TextGenerator(seed: seed &+ 1000)
        for round in 0..<Rounds.casesPerSeed / 2 {
            let body = generator.callback()
            expectSameReading(body, "seed \(seed), round \(round)")
            expectSameReading(generator.damaged(body), "seed \(seed), round \(round), damaged")
        }
    }

    @Test("the payload is the body but for white space between tokens, and compact ones stay", arguments: Rounds.seeds)
    func compaction(seed: UInt64) throws {
        var generator = TextGenerator(seed: seed &+ 2000)
        for _ in 0..<Rounds.casesPerSeed / 4 {
            let body = generator.callback()
            guard case .success(let taken) = take(body) else { continue }
            #expect(taken.payload == compacted(body), "\(hexadecimal(body))")
            #expect(JSONTreeParser.parse(taken.payload) == JSONTreeParser.parse(body))
            #expect(take(taken.payload) == .success(taken))
            #expect(!taken.payload.contains { $0 < 0x20 }, "a payload has to fit one line of the log")
        }
    }

    @Test(
        "a text passes the scanner if and only if it passes Foundation, but for the known differences",
        arguments: Rounds.seeds)
    func scannerAgainstFoundation(seed: UInt64) {
        var generator = TextGenerator(seed: seed &+ 3000)
        for round in 0..<Rounds.casesPerSeed {
            let valid = generator.text()
            for text in [valid, generator.damaged(valid)] where foundationPasses(text) != (rejection(text) == nil) {
                #expect(
                    FoundationDifference(of: text) != nil,
                    "seed \(seed), round \(round): Foundation \(foundationPasses(text) ? "takes" : "refuses") \(hexadecimal(text))"
                )
            }
        }
    }

    @Test("Foundation reads the same values from the payload as from the body", arguments: Rounds.seeds)
    func foundationReadsPayload(seed: UInt64) throws {
        var generator = TextGenerator(seed: seed &+ 4000)
        for _ in 0..<Rounds.casesPerSeed / 4 {
            let body = generator.callback()
            guard case .success(let taken) = take(body), FoundationDifference(of: body) == nil else { continue }
            let fromBody = try #require(try JSONSerialization.jsonObject(with: Data(body)) as? NSDictionary)
            let fromPayload = try #require(try JSONSerialization.jsonObject(with: Data(taken.payload)) as? NSDictionary)
            #expect(fromBody == fromPayload, "\(hexadecimal(body))")
        }
    }

    @Test("a callback cut at any offset, or with any byte changed, is read as the contract says", arguments: samples)
    func everyCutAndFlip(sample: String) {
        let body = bytes(sample)
        for count in 0...body.count { expectSameReading(Array(body[..<count]), "cut at \(count)") }
        for index in body.indices {
            for flip in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF] as [UInt8] {
                var damaged = body
                damaged[index] ^= flip
                expectSameReading(damaged, "byte \(index) flipped by \(flip)")
            }
        }
    }

    static let samples = [
        #"{"error":false,"reason":"request_processed","data":{"request_id":"6ea55176-0d23-4f4e-a9b5","crisp_fingerprint":163239623329114,"whatsapp_message_id":"wamid.HBgLMzM2MTI","session_id":"session_7"}}"#,
        #" { "request\u005fid" : "r\u002d1" , "error" : null , "errors" : [ { "code" : "131049" , "message" : "(#1) caf\u00e9 é😀\ud83d\ude00\ud800" } , 2.5e-1 ] } "#,
        "\u{FEFF}{\"data\":{\"request_id\":\"r\",\"message\":\"€\",\"x\":[[],{},[-0,1E+2,true,false,null]]},\"request_id\":7}\r\n",
    ]

    private func expectSameVerdict(_ text: [UInt8], _ name: String) {
        let tree = JSONTreeParser.parse(text)
        switch (rejection(text), tree) {
        case (nil, .success), (.malformed, .failure(.grammar)), (_?, .failure(.notUTF8)): break
        case (.nestedTooDeep(let offset), .failure(.tooDeep(let expected))) where offset == expected: break
        case (let verdict, _):
            Issue.record("\(name): scanner \(String(describing: verdict)), parser \(tree): \(hexadecimal(text))")
        }
    }

    private func expectSameReading(_ body: [UInt8], _ name: String) {
        let expected = CallbackReference.verdict(body)
        let verdict = decoderVerdict(body)
        #expect(verdict == expected, "\(name): \(hexadecimal(body))")
    }

    /// The white space rule once more, without the scanner: outside strings, the four characters go.
    private func compacted(_ body: [UInt8]) -> [UInt8] {
        var isInString = false
        var isEscaped = false
        return body.drop { $0 == 0xEF || $0 == 0xBB || $0 == 0xBF }.filter { byte in
            defer {
                if byte == UInt8(ascii: "\""), !isEscaped { isInString.toggle() }
                isEscaped = isInString && byte == UInt8(ascii: "\\") && !isEscaped
            }
            return isInString || ![0x20, 0x09, 0x0A, 0x0D].contains(byte)
        }
    }
}

func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func foundationPasses(_ text: [UInt8]) -> Bool {
    (try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)) != nil
}
