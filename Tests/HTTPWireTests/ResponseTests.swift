// Answers, byte for byte.

import Testing

@testable import HTTPWire

@Suite("An answer is encoded")
struct ResponseTests {
    private static let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

    /// What is written in answer to `request`.
    private func answer(_ response: Response, to request: String, close: Bool = false) -> String {
        var session = HTTP1Session(limits: HTTPLimits())
        var seen = Request()
        var position = 0
        let input = Array(request.utf8)
        var output = Array("before ".utf8)
        guard session.receive(input.span, at: &position, into: &seen) == .request else { return "no request" }
        session.respond(response, date: HTTPDate(unixSeconds: 784_111_777), close: close, into: &output)
        return String(decoding: output, as: UTF8.self)
    }

    private var json: Response {
        var response = Response()
        response.contentType = "application/json"
        response.body = Array("{\"a\":1}".utf8)
        return response
    }

    @Test("behind what is in the output already, with its length and type")
    func plain() {
        #expect(
            answer(json, to: "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                == "before HTTP/1.1 200 OK\r\n" + ResponseTests.date
                + "Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}")
    }

    @Test("for HEAD with the fields of GET and no body")
    func head() {
        #expect(
            answer(json, to: "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
                == "before HTTP/1.1 200 OK\r\n" + ResponseTests.date
                + "Content-Type: application/json\r\nContent-Length: 7\r\n\r\n")
    }

    @Test("for HTTP/1.0 as HTTP/1.1 that closes, or keeps the connection where that was asked for")
    func version10() {
        let start = "before HTTP/1.1 200 OK\r\n" + ResponseTests.date + "Content-Type: application/json\r\nContent-Length: 7\r\n"
        #expect(answer(json, to: "GET / HTTP/1.0\r\n\r\n") == start + "Connection: close\r\n\r\n{\"a\":1}")
        let keeping = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
        #expect(answer(json, to: keeping) == start + "Connection: keep-alive\r\n\r\n{\"a\":1}")
        #expect(answer(json, to: keeping, close: true) == start + "Connection: close\r\n\r\n{\"a\":1}")
    }

    @Test("with Connection: close where client or server closes")
    func close() {
        let expected =
            "before HTTP/1.1 200 OK\r\n" + ResponseTests.date
            + "Content-Type: application/json\r\nContent-Length: 7\r\nConnection: close\r\n\r\n{\"a\":1}"
        #expect(answer(json, to: "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") == expected)
        #expect(answer(json, to: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", close: true) == expected)
    }

    @Test("without content for 204 and 304, whatever the body", arguments: [(204, "No Content"), (304, "Not Modified")])
    func noContent(status: UInt16, reason: String) {
        var response = json
        response.status = status
        #expect(
            answer(response, to: "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                == "before HTTP/1.1 \(status) \(reason)\r\n" + ResponseTests.date + "\r\n")
    }

    @Test("without a type where the body is empty, and with a length of zero")
    func emptyBody() {
        var response = json
        response.status = 503
        response.body = []
        response.fields = [.init(name: "Retry-After", value: "1"), .init(name: "Allow", value: "")]
        #expect(
            answer(response, to: "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                == "before HTTP/1.1 503 Service Unavailable\r\n" + ResponseTests.date
                + "Content-Length: 0\r\nRetry-After: 1\r\nAllow: \r\n\r\n")
    }

    @Test("in one piece: no field value can split it")
    func splitting() {
        var response = Response()
        response.fields = [.init(name: "X", value: "a\r\nSet-Cookie: b\n\u{0}\tc\u{7f}é")]
        #expect(
            answer(response, to: "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                == "before HTTP/1.1 200 OK\r\n" + ResponseTests.date
                + "Content-Length: 0\r\nX: a  Set-Cookie: b  \tc é\r\n\r\n")
    }

    @Test("with a phrase for every status of a refusal, and none for one it does not know")
    func phrases() {
        for refusal in Refusal.allCases {
            var response = Response()
            response.status = refusal.status
            let line = answer(response, to: "GET / HTTP/1.1\r\nHost: a\r\n\r\n").prefix { $0 != "\r\n" }
            #expect(line.utf8.count > "before HTTP/1.1 400 ".utf8.count, "\(refusal)")
        }
        var response = Response()
        response.status = 599
        #expect(answer(response, to: "GET / HTTP/1.1\r\nHost: a\r\n\r\n").hasPrefix("before HTTP/1.1 599 \r\nDate"))
    }

    @Test("from a value that is used again as if it were new")
    func reset() {
        var response = json
        response.status = 404
        response.fields = [.init(name: "A", value: "b")]
        response.reset()
        let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(answer(response, to: request) == answer(Response(), to: request))
    }

    @Test("with every length in decimal", arguments: [0, 9, 10, 99, 100, 65_536, Int.max])
    func decimals(number: Int) {
        var output: [UInt8] = []
        output.appendDecimal(number)
        #expect(String(decoding: output, as: UTF8.self) == String(number))
    }
}
