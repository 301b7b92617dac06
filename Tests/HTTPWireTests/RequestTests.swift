// What a well-formed request becomes, however its bytes arrive.

import Testing

@testable import HTTPWire

@Suite("A well-formed request is read")
struct RequestTests {
    @Test("a callback with its body, fields and target")
    func callback() {
        let seen = outcome(
            "POST /callback?key=a%20b HTTP/1.1\r\nHost: receiver.example:8080\r\ncontent-length: 7\r\n"
                + "X-Empty:\r\nX-Spaced: \t a \t b\t \r\n\r\n{\"a\":1}")
        #expect(seen.refusal == nil)
        #expect(seen.awaiting == .idle)
        #expect(!seen.mustClose)
        #expect(seen.requests.count == 1)
        guard let request = seen.requests.first else { return }
        #expect(request.method == .post)
        #expect(request.path == "/callback")
        #expect(request.query == "key=a%20b")
        #expect(request.authority == "receiver.example:8080")
        #expect(!request.isHTTP10)
        #expect(request.body == Array("{\"a\":1}".utf8))
        #expect(
            request.fields == [
                "Host=receiver.example:8080", "content-length=7", "X-Empty=", "X-Spaced=a \t b",
            ])
    }
}
