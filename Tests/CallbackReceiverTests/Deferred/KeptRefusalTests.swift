// Refusals whose body is kept before they are told.
//
// Promises: each claim over HTTP/1.1 and HTTP/2, with a keeper in the test's hands. Must not know: the real one.

import CrispCallback
import HTTPWire
import Platform
import Synchronization
import TestSupport
import Testing

@testable import CallbackReceiver

@Suite("Kept refusals")
struct KeptRefusalTests {
    /// Keeps what it is given, and says so when the test lets it.
    private final class Keeper: RefusalKeeper {
        private struct State {
            var kept: [KeptRefusal] = []
            var waiting: [@Sendable (Bool) -> Void] = []
            var answer: Bool?
        }
        private let state: Mutex<State>

        init(_ answer: Bool?) { state = Mutex(State(answer: answer)) }

        var kept: [KeptRefusal] { state.withLock { $0.kept } }
        func forget() { state.withLock { $0.kept = [] } }

        func keep(_ refusal: KeptRefusal, from client: IPAddress, completion: @escaping @Sendable (Bool) -> Void) {
            let answer = state.withLock { state in
                state.kept.append(refusal)
                if state.answer == nil { state.waiting.append(completion) }
                return state.answer
            }
            if let answer { completion(answer) }
        }

        /// From now on the answer is this, also to whoever waits.
        func answer(_ isKept: Bool) {
            let waiting = state.withLock { state in
                state.answer = isKept
                defer { state.waiting = [] }
                return state.waiting
            }
            for completion in waiting { completion(isKept) }
        }
    }

    private func running(_ keeper: Keeper, _ configure: (inout ServerConfiguration) -> Void = { _ in }) throws -> RunningServer {
        let routes = furtherRoutes([
            "/refused": { response in
                response.status = 422
                return .keep(KeptRefusal(body: Array("body".utf8), status: 422, detail: "why", isProved: true))
            }
        ])
        return try RunningServer(furtherRoute: routes, refusalKeeper: keeper) {
            $0.callbackBodyBytesMax = 1_024
            configure(&$0)
        }
    }

    @Test("a refusal leaves when its body is kept, and not before; what is behind it waits")
    func waits() throws {
        let keeper = Keeper(nil)
        let running = try running(keeper)
        let connection = try running.connect()
        try connection.send(requestBytes("POST", "/refused", body: []) + requestBytes("GET", "/healthz"))
        let http2 = try HTTP2Connection(port: running.port)
        let stream = try http2.request("POST", "/refused", body: [])
        try eventually("both are handed over", holds: { keeper.kept.count == 2 })
        #expect(try http2.exchange("GET", "/healthz").status == 200)
        #expect(!connection.isReadable(milliseconds: 50))
        keeper.answer(true)
        #expect(try connection.readAnswer().status == 422)
        #expect(try connection.readAnswer().status == 200)
        #expect(try http2.answer(on: stream).status == 422)
    }

    @Test("what cannot be kept is answered 503, so that it is sent again; so is what takes too long")
    func notKept() throws {
        let keeper = Keeper(false)
        let running = try running(keeper)
        let refused = try running.exchange(requestBytes("POST", "/refused", body: []))
        #expect(refused.status == 503 && refused["Retry-After"] != nil)
        let late = Keeper(nil)
        let slow = try self.running(late)
        let connection = try slow.connect()
        try connection.send(requestBytes("POST", "/refused", body: []))
        try eventually("it is handed over", holds: { late.kept.count == 1 })
        try slow.advance(seconds: Exchanges.commitSeconds + 1)
        #expect(try connection.readAnswer().status == 503)
        // Its word comes too late for anybody.
        late.answer(true)
        try connection.send(requestBytes("GET", "/healthz"))
        #expect(try connection.readAnswer().text == #"{"status":"alive"}"#)
    }

    @Test("of a body that is too large as much is kept as came, and 413 leaves behind it")
    func tooLarge() throws {
        let keeper = Keeper(nil)
        let running = try running(keeper)
        let body = (0..<3_000).map { UInt8($0 & 0x3F) + 0x20 }
        let connection = try running.connect()
        try connection.send(requestBytes("POST", "/callback", body: body))
        try eventually("it is handed over", holds: { keeper.kept.count == 1 })
        let kept = try #require(keeper.kept.first)
        #expect(kept.status == 413 && body.starts(with: kept.body) && !kept.body.isEmpty)
        #expect(!connection.isReadable(milliseconds: 50))
        keeper.answer(true)
        let answer = try connection.readAnswer()
        #expect(answer.status == 413 && answer.announcesClose)
        #expect(try connection.readToEnd() == [])
        // Without a length, and over HTTP/2, where the frames before the one too many are what came.
        let chunks = "POST /callback HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n"
        let chunked = try running.exchange(Array(chunks.utf8) + body.prefix(1_000) + Array("\r\n100\r\n".utf8) + body.prefix(256))
        #expect(chunked.status == 413 && keeper.kept[1].body.prefix(1_000) == body[..<1_000])
        let http2 = try HTTP2Connection(port: running.port)
        let stream = try http2.request("POST", "/callback")
        #expect(try http2.answer(on: stream).status == 400)
        let large = try http2.open(HTTP2Connection.fields("POST", "/callback"))
        try http2.send(.data(Array(body.prefix(1_000)), on: large, end: false))
        try http2.send(.data(Array(body.prefix(1_000)), on: large, end: false))
        #expect(try http2.answer(on: large).status == 413)
        // The frame that is one too many had come, too.
        #expect(keeper.kept.last?.body == Array(body[..<1_000] + body[..<1_000]))
    }

    @Test("of a body that is too large what is kept is waited for, however it comes: until it is there, for two seconds, or until its client sends no more")
    func rest() throws {
        let keeper = Keeper(true)
        let running = try running(keeper)
        let body = (0..<70_000).map { UInt8($0 % 0x5F) + 0x20 }
        func head(_ length: Int, _ fields: String = "", target: String = "/callback") -> [UInt8] {
            Array("POST \(target) HTTP/1.1\r\nHost: a\r\n\(fields)Content-Length: \(length)\r\n\r\n".utf8)
        }
        func expectKept(_ kept: [UInt8], _ connection: RawConnection) throws {
            let answer = try connection.readAnswer()
            #expect(answer.status == 413 && answer.announcesClose)
            #expect(keeper.kept.map(\.body) == [kept] && keeper.kept.first?.status == 413)
            keeper.forget()
        }
        for (length, kept) in [(70_000, KeptRefusal.bodyBytesMax), (3_000, 3_000)] {
            let connection = try running.connect()
            for piece in [head(length), Array(body[..<1]), Array(body[1..<2_999])] {
                try connection.send(piece)
                #expect(!connection.isReadable(milliseconds: 20) && keeper.kept.isEmpty)
            }
            try connection.send(Array(body[2_999..<length]))
            try expectKept(Array(body[..<kept]), connection)
        }
        let silent = try running.connect()
        try silent.send(head(3_000))
        try silent.send(Array(body[..<500]))
        try running.advance(seconds: Deadlines.restSeconds - 1)
        #expect(!silent.isReadable(milliseconds: 20))
        try running.advance(seconds: 1)
        try expectKept(Array(body[..<500]), silent)
        let gone = try running.connect()
        try gone.send(head(3_000) + body[..<700])
        gone.halfClose()
        try expectKept(Array(body[..<700]), gone)
        // Nothing is to come where the client asks first, and nothing is kept of what is no callback.
        for request in [head(3_000, "Expect: 100-continue\r\n"), head(3_000, target: "/elsewhere")] {
            let refused = try running.connect()
            try refused.send(request)
            #expect(try refused.readAnswer().status == 413)
        }
        #expect(keeper.kept.isEmpty)
    }

    @Test("what HTTP refuses is kept as what it is: with the proof of origin that is asked for, or without; a signature is of a whole body only")
    func origin() throws {
        func secrets(_ text: String) -> [Secret] { [Secret(Array(text.utf8))] }
        // Of the part that the chunked one below gets through, as if that were all.
        let code = HMACSHA256.code(key: Array("s".utf8).span, message: Array("[1;x]".utf8).span)
        let digits = code.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let signed = ["X-Crisp-Signature: \(digits)", "X-Crisp-Request-Timestamp: 1"]
        let cases: [((inout ServerConfiguration) -> Void, [(target: String, fields: [String], isProved: Bool)])] = [
            ({ _ in }, [("/callback", [], true)]),
            ({ $0.callbackKeys = secrets("key") }, [("/callback?key=key", [], true), ("/callback?key=no", [], false), ("/callback", [], false)]),
            ({ $0.callbackUsers = secrets("u:p") }, [("/callback", [basic("u:p")], true), ("/callback", [basic("u:no")], false), ("/callback", [], false)]),
            ({ $0.callbackSigningSecrets = secrets("s") }, [("/callback", signed, false), ("/callback", [], false)]),
        ]
        let body = [UInt8](repeating: 0x20, count: 2_000)
        for (configure, requests) in cases {
            let keeper = Keeper(true)
            let running = try running(keeper, configure)
            let http2 = try HTTP2Connection(port: running.port)
            for (target, fields, isProved) in requests {
                #expect(try running.exchange(requestBytes("POST", target, fields: fields, body: body)).status == 413)
                let chunked = requestBytes("POST", target, fields: fields + ["Transfer-Encoding: chunked"])
                #expect(try running.exchange(chunked + Array("1\r\nxyz\r\n".utf8)).status == 400)
                let http2Fields = fields.map { line in
                    let colon = line.firstIndex(of: ":") ?? line.endIndex
                    return (line[..<colon].lowercased(), String(line[colon...].dropFirst(2)))
                }
                let stream = try http2.request("POST", target, fields: http2Fields, body: body, statesLength: false)
                #expect(try http2.answer(on: stream).status == 413)
                #expect(keeper.kept.map(\.status) == [413, 400, 413] && keeper.kept.map(\.isProved) == [isProved, isProved, isProved], "\(target) \(fields)")
                keeper.forget()
            }
        }
    }

    @Test("nothing is kept of what is no post to the callback path, or has no body")
    func nothing() throws {
        let keeper = Keeper(true)
        let running = try running(keeper)
        let large = [UInt8](repeating: 0x20, count: 3_000)
        #expect(try running.exchange(requestBytes("POST", "/elsewhere", body: large)).status == 413)
        #expect(try running.exchange(requestBytes("PUT", "/callback", body: large)).status == 413)
        #expect(try running.exchange(Array("POST /callback HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n".utf8)).status == 400)
        #expect(keeper.kept.isEmpty)
    }

    @Test("a body that ends early is kept, too")
    func endsEarly() throws {
        let keeper = Keeper(true)
        let running = try running(keeper)
        let connection = try running.connect()
        try connection.send(requestBytes("POST", "/callback", body: Array(callback("cut").utf8)).dropLast(5) + [])
        connection.halfClose()
        #expect(try connection.readAnswer().status == 400)
        #expect(keeper.kept.map(\.body) == [Array(callback("cut").utf8.dropLast(5))])
    }
}
