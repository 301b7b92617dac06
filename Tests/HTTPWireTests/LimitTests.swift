// Every bound on a head: what just fits is read, one byte more is refused, however it arrives; and
// what a head costs is linear in its bytes.

import Testing

@testable import HTTPWire

@Suite("A head is bounded")
struct LimitTests {
    /// Small bounds, so that every split can be tried.
    static let limits: HTTPLimits = {
        var limits = HTTPLimits(bodyBytesMax: 10)
        limits.requestLineBytesMax = 40
        limits.headBytesMax = 100
        limits.fieldsMax = 3
        return limits
    }()

    @Test("a request line of the greatest length is read, a longer one refused")
    func requestLine() {
        func request(_ lineBytes: Int) -> String {
            "GET /\(String(repeating: "a", count: lineBytes - 14)) HTTP/1.1\r\nHost: a\r\n\r\n"
        }
        #expect(outcome(request(40), limits: LimitTests.limits).requests.count == 1)
        #expect(outcome(request(41), limits: LimitTests.limits).refusal == .targetTooLong)
        #expect(outcome(request(200), limits: LimitTests.limits).refusal == .targetTooLong)
        let defaults = HTTPLimits()
        #expect(outcome(request(defaults.requestLineBytesMax)).requests.count == 1)
        #expect(outcome(request(defaults.requestLineBytesMax + 1)).refusal == .targetTooLong)
    }

    @Test("a line that is too long is refused for that, whatever comes behind the bound")
    func requestLineWithMore() {
        let long = "GET /" + String(repeating: "a", count: 36)
        #expect(outcome(long + "\u{0}", limits: LimitTests.limits).refusal == .targetTooLong)
        #expect(outcome(long + "\r\n", limits: LimitTests.limits).refusal == .targetTooLong)
        #expect(outcome(long.dropLast() + "\n", limits: LimitTests.limits).refusal == .bareLineBreak)
    }

    @Test("a head of the greatest length is read, a longer one refused")
    func head() {
        func request(_ headBytes: Int) -> String {
            "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "b", count: headBytes - 32))\r\n\r\n"
        }
        #expect(request(100).utf8.count == 100)
        #expect(outcome(request(100), limits: LimitTests.limits).requests.count == 1)
        for bytes in 101...104 {
            #expect(outcome(request(bytes), limits: LimitTests.limits).refusal == .headTooLarge)
        }
        #expect(outcome(String(request(300).prefix(250)), limits: LimitTests.limits).refusal == .headTooLarge)
        let defaults = HTTPLimits()
        #expect(outcome(request(defaults.headBytesMax)).requests.count == 1)
        #expect(outcome(request(defaults.headBytesMax + 1)).refusal == .headTooLarge)
    }

    @Test("as many fields as are allowed are read, one more is refused")
    func fields() {
        func request(_ count: Int) -> String {
            "GET / HTTP/1.1\r\nHost: a\r\n\(String(repeating: "X: y\r\n", count: count - 1))\r\n"
        }
        #expect(outcome(request(3), limits: LimitTests.limits).requests.count == 1)
        #expect(outcome(request(4), limits: LimitTests.limits).refusal == .tooManyFields)
        #expect(outcome(request(64)).requests.first?.fields.count == 64)
        #expect(outcome(request(65)).refusal == .tooManyFields)
    }

    @Test("a method of the greatest length is read, a longer one refused before it ends")
    func method() {
        func request(_ count: Int) -> String { "\(String(repeating: "M", count: count)) / HTTP/1.1\r\nHost: a\r\n\r\n" }
        #expect(outcome(request(HTTPLimits.methodBytesMax)).requests.first?.method == .other)
        #expect(outcome(request(HTTPLimits.methodBytesMax + 1)).refusal == .methodTooLong)
    }

    @Test("a body of the greatest length is read, a longer one refused at its head")
    func body() {
        func head(_ count: Int) -> String { "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: \(count)\r\n\r\n" }
        let most = outcome(head(10) + "0123456789", limits: LimitTests.limits)
        #expect(most.requests.first?.body.count == 10)
        let beyond = outcome(head(11) + "0123456789a", limits: LimitTests.limits)
        #expect(beyond.refusal == .bodyTooLarge)
        #expect(beyond.refused?.path == "/b")
        #expect(outcome(head(11), limits: LimitTests.limits).refusal == .bodyTooLarge)
    }

    @Test("a head that drips in is examined about once, not once for each piece")
    func linear() {
        let head = Array(
            ("GET /\(String(repeating: "a", count: 4_000)) HTTP/1.1\r\nHost: a\r\nX: "
                + String(repeating: "b\tc", count: 3_000) + "\r\n" + String(repeating: "Y: z\r\n", count: 50)).utf8)
        for piece in [1, 2, 3, 7, 64, head.count] {
            var connection = Connection(HTTPLimits())
            for start in stride(from: 0, to: head.count, by: piece) {
                connection.feed(head[start..<min(start + piece, head.count)])
            }
            #expect(connection.outcome.refusal == nil)
            #expect(connection.outcome.awaiting == .head)
            // A CR is looked at again when its LF arrives in the next piece; nothing else is.
            let lines = 53
            let examined = connection.session.examinedBytes
            #expect(head.count...head.count + lines ~= examined, "pieces of \(piece)")
        }
    }

    @Test("a request's arrays keep their capacity for the next")
    func capacity() {
        var session = HTTP1Session(limits: HTTPLimits())
        var request = Request()
        var output: [UInt8] = []
        var capacities: Set<[Int]> = []
        let input = Array("POST /callback HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello".utf8)
        for _ in 0..<100 {
            var position = 0
            #expect(session.receive(input.span, at: &position, into: &request) == .request)
            session.respond(Response(), date: HTTPDate(unixSeconds: 0), close: false, into: &output)
            capacities.insert([request.head.capacity, request.body.capacity, request.fields.capacity])
        }
        #expect(capacities.count == 1)
    }
}
