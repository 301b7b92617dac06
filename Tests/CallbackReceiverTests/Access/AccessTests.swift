// Who may ask: the open door as narrow as API.md §4 has it, tokens, scopes, and wrong credentials held to a pace.

import Platform
import TestSupport
import Testing

@testable import CallbackReceiver

private enum Known {
    static let key = "00112233445566778899aabbccddeeff"
    static let reader = Token(1, key: key, scope: .read)
    static let writer = Token(2, key: "writer-key", scope: .write)
    static let watcher = Token(3, key: "watcher-key", scope: .metrics)
    static let credentials = basic("\(reader.identifier):\(key)")
}

@Suite("Who may ask")
struct AccessTests {
    private func status(_ step: RouterStep, _ fields: [String], method: String = "GET", host: String = "api.example") throws -> Int {
        try step.answer(requestBytes(method, "/v1/requests/a", host: host, fields: fields)).status
    }

    // MARK: the open door

    @Test("without a token the door is open to this machine alone: not to another peer, however local it looks")
    func peer() throws {
        let step = try RouterStep()
        #expect(try status(step, [], host: "localhost") == 404)
        for peer in ["192.0.2.7", "10.0.0.1", "2001:db8::1", "::"] {
            step.peer = peer
            #expect(try status(step, [], host: "localhost") == 401)
        }
        for peer in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"] {
            step.peer = peer
            #expect(try status(step, [], host: "localhost") == 404)
        }
    }

    @Test("nor does a page of another site in this machine's browser: what it may send without being asked is refused")
    func pages() throws {
        let step = try RouterStep()
        for origin in ["http://evil.example", "null", "https://localhost:8080", "http://localhost", "http://localhost:8081", "http://localhost:8080/", ""] {
            #expect(try status(step, ["Origin: \(origin)"], host: "localhost:8080") == 401, "\(origin)")
            let requeue = requestBytes("POST", "/v1/quarantine/requeue?unauthorized=true", host: "localhost:8080", fields: ["Origin: \(origin)"], body: [])
            #expect(try step.answer(requeue).status == 401, "\(origin)")
        }
        #expect(try status(step, ["Origin: http://localhost:8080", "Origin: http://localhost:8080"], host: "localhost:8080") == 401)
        for (host, origin) in [("localhost:8080", "http://localhost:8080"), ("LOCALHOST:8080", "HTTP://localhost:8080"), ("127.0.0.1", "http://127.0.0.1"), ("[::1]:80", "http://[::1]")] {
            #expect(try status(step, ["Origin: \(origin)"], host: host) == 404, "\(origin)")
        }
    }

    @Test("with a token, too, what changes something is not taken from another site's page, though a browser adds the credentials")
    func pagesWithToken() throws {
        let step = try RouterStep(tokens: [Known.writer])
        let credentials = basic("\(Known.writer.identifier):writer-key")
        func status(_ method: String, _ fields: [String]) throws -> Int {
            let target = method == "POST" ? "/v1/quarantine/requeue?unauthorized=true" : "/v1/requests/a"
            return try step.answer(requestBytes(method, target, host: "api.example", fields: [credentials] + fields, body: method == "GET" ? nil : [])).status
        }
        for fields in [
            ["Origin: http://evil.example"], ["Origin: null"], ["Origin: https://api.example:8443"], ["Origin: https://api.example", "Origin: https://api.example"],
            ["Sec-Fetch-Site: cross-site"], ["Sec-Fetch-Site: same-site", "Origin: https://api.example"],
        ] {
            for method in ["POST", "PUT"] { #expect(try status(method, fields) == 403, "\(method) \(fields)") }
            #expect(try status("GET", fields) == 404, "\(fields)")
        }
        for fields in [[], ["Origin: https://api.example"], ["Origin: HTTP://API.example"], ["Origin: https://elsewhere", "Sec-Fetch-Site: same-origin"], ["Sec-Fetch-Site: none"]] {
            for method in ["POST", "PUT"] { #expect(try status(method, fields) != 403, "\(method) \(fields)") }
        }
        // Whoever may not ask is told no more than ever.
        let other = try RouterStep(tokens: [Known.reader])
        #expect(try other.answer(requestBytes("POST", "/v1/quarantine/requeue", host: "api.example", fields: [credentials, "Origin: http://evil.example"], body: [])).status == 401)
    }

    @Test("a trusted proxy's word does not open it either, whomever it names")
    func trustedProxy() throws {
        let step = try RouterStep { $0.trustedProxies = [IPNetwork(IPAddress(ipv4: 0x7F00_0001))] }
        for field in ["Forwarded: for=127.0.0.1", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-For: 192.0.2.7", "Via: 1.1 proxy"] {
            #expect(try status(step, [field], host: "localhost") == 401)
        }
    }

    @Test("with tokens, even with none left or with unreadable ones, nothing opens it", arguments: [TokenTable([]), .unreadable, TokenTable([Known.reader])])
    func closed(table: TokenTable) throws {
        let step = try RouterStep(table: table)
        let answer = try step.answer(requestBytes("GET", "/v1/requests/a", host: "localhost"))
        #expect(answer.status == 401)
        #expect(answer.fields["WWW-Authenticate"] == "Basic realm=\"callback-receiver\", charset=\"UTF-8\"")
        try expectProblem(answer, instance: "/v1/requests/a")
        #expect(try step.get("/healthz").status == 200)
        #expect(try step.get("/readyz").status == 200)
        // An unreadable file takes no credentials, and says that it is not they that are wrong.
        let presented = try step.answer(requestBytes("GET", "/v1/requests/a", host: "localhost", fields: [Known.credentials]))
        #expect(presented.status == (table.token(identifier: ArraySlice(Known.reader.identifier.utf8), key: ArraySlice(Known.key.utf8)) == nil ? 401 : 404))
        #expect(presented.body.contains("cannot read them") == (table.standing == .unreadable))
    }

    @Test("the API that listens beyond loopback has no open door")
    func beyondLoopback() throws {
        let step = try RouterStep(isOnLoopback: false)
        #expect(try status(step, [], host: "localhost") == 401)
        #expect(try step.get("/healthz").status == 200)
    }

    @Test("api.authentication none lets anyone do anything, whatever tokens there are")
    func none() throws {
        let step = try RouterStep(table: .unreadable, isOnLoopback: false) { $0.apiAuthenticationNone = true }
        step.peer = "192.0.2.7"
        #expect(try status(step, ["Via: 1.1 proxy"]) == 404)
    }

    // MARK: tokens

    @Test("right credentials are taken from anywhere, through any proxy")
    func right() throws {
        let step = try RouterStep(tokens: [Known.reader], isOnLoopback: false)
        step.peer = "192.0.2.7"
        #expect(try status(step, [Known.credentials, "Forwarded: for=192.0.2.8", "Via: 1.1 proxy"]) == 404)
        #expect(try status(step, [Known.credentials.replacing("Basic", with: "bASIC")]) == 404)
    }

    @Test(
        "any other credentials are 401, and the answer does not tell why",
        arguments: [
            [basic("0000000000000001:00112233445566778899aabbccddeefe")], [basic("0000000000000009:\(Known.key)")], [basic("0000000000000001:")],
            [basic(":\(Known.key)")], [basic("1:\(Known.key)")], [basic("0000000000000001 :\(Known.key)")], [basic("0000000000000001::\(Known.key)")],
            [basic("0000000000000001\(Known.key)")], [basic("0000000000000002:\(Known.key)")], ["Authorization:"], ["Authorization: Basic"],
            ["Authorization: Basic =="], ["Authorization: Bearer \(Known.key)"], [Known.credentials, Known.credentials],
            [Known.credentials, "Authorization: Basic"], [Known.credentials + "="], [Known.credentials + " x"],
        ])
    func wrong(fields: [String]) throws {
        let step = try RouterStep(tokens: [Known.reader, Known.writer])
        let answer = try step.answer(requestBytes("GET", "/v1/requests/a", host: "localhost", fields: fields))
        #expect(answer.status == 401)
        #expect(answer.body.contains("The credentials are not those of a token"))
        #expect(!answer.body.contains("0011"))
        try expectProblem(answer, instance: "/v1/requests/a")
    }

    @Test("a scope that does not suffice is 403, before the method is looked at")
    func scopes() throws {
        let step = try RouterStep(tokens: [Known.reader, Known.writer, Known.watcher])
        let writer = basic("\(Known.writer.identifier):writer-key")
        let watcher = basic("\(Known.watcher.identifier):watcher-key")
        #expect(try status(step, [Known.credentials]) == 404)
        #expect(try status(step, [Known.credentials], method: "HEAD") == 404)
        #expect(try status(step, [writer]) == 404)
        #expect(try status(step, [watcher]) == 403)
        #expect(try status(step, [Known.credentials], method: "DELETE") == 405)
        #expect(try status(step, [Known.credentials], method: "PUT") == 403)
        #expect(try status(step, [watcher], method: "PUT") == 403)
        #expect(try status(step, [writer], method: "PUT") != 403)
        let refused = try step.answer(requestBytes("PUT", "/v1/requests/a", fields: [Known.credentials]))
        #expect(refused.body.contains("scope is read, and this needs write"))
        #expect(refused.fields["WWW-Authenticate"] == nil)
        try expectProblem(refused, instance: "/v1/requests/a")
    }

    // MARK: wrong credentials

    @Test("too many wrong credentials of one address are 429 with Retry-After; right ones are taken all the same, and others' too")
    func pace() throws {
        let step = try RouterStep(tokens: [Known.reader])
        let guess = basic("0000000000000001:guess")
        for _ in 0..<WrongCredentials.burstMax { #expect(try status(step, [guess]) == 401) }
        let answer = try step.answer(requestBytes("GET", "/v1/requests/a", fields: [guess]))
        #expect(answer.status == 429)
        #expect(answer.fields["Retry-After"] == "1")
        try expectProblem(answer, instance: "/v1/requests/a")
        #expect(try status(step, [Known.credentials]) == 404)
        #expect(try status(step, []) == 401)
        step.peer = "127.0.0.2"
        #expect(try status(step, [guess]) == 401)
        step.peer = "127.0.0.1"
        step.clock.advance(seconds: 2)
        #expect(try status(step, [guess]) == 401)
    }

    @Test("what a trusted proxy passes on counts for the client that it names; of others' proxies, for the proxy")
    func clients() throws {
        let step = try RouterStep(tokens: [Known.reader]) { $0.trustedProxies = [IPNetwork(IPAddress(ipv4: 0x7F00_0001))] }
        let guess = basic("0000000000000001:guess")
        for _ in 0..<WrongCredentials.burstMax { #expect(try status(step, [guess, "X-Forwarded-For: 192.0.2.7"]) == 401) }
        #expect(try status(step, [guess, "X-Forwarded-For: 192.0.2.7"]) == 429)
        #expect(try status(step, [guess, "X-Forwarded-For: 192.0.2.8"]) == 401)
        step.peer = "198.51.100.1"
        for number in 0..<WrongCredentials.burstMax { #expect(try status(step, [guess, "X-Forwarded-For: 192.0.2.\(number)"]) == 401) }
        #expect(try status(step, [guess, "X-Forwarded-For: 192.0.2.250"]) == 429)
    }
}

@Suite("Wrong credentials")
struct WrongCredentialsTests {
    private func address(_ number: Int) -> IPAddress { IPAddress(high: 0x2001_0DB8_0000_0000 + UInt64(number), low: 1) }

    @Test("get one more try each second, and all of them after a while")
    func refill() {
        let wrong = WrongCredentials()
        for _ in 0..<WrongCredentials.burstMax { #expect(wrong.count(address(1), now: 5_000) == nil) }
        #expect(wrong.count(address(1), now: 5_000) == 1)
        #expect(wrong.count(address(1), now: 5_999) == 1)
        #expect(wrong.count(address(1), now: 6_000) == nil)
        #expect(wrong.count(address(1), now: 6_000) == 1)
        let later = 6_000 + WrongCredentials.burstMax * WrongCredentials.refillMilliseconds
        for _ in 0..<WrongCredentials.burstMax { #expect(wrong.count(address(1), now: later) == nil) }
        #expect(wrong.count(address(1), now: later) != nil)
    }

    @Test("are kept of a bounded number of addresses; beyond, all draw from one bucket, until some are forgotten")
    func bound() {
        let wrong = WrongCredentials()
        for number in 0..<WrongCredentials.addressesMax { #expect(wrong.count(address(number), now: 0) == nil) }
        for number in 0..<Int(WrongCredentials.burstMax) { #expect(wrong.count(address(100_000 + number), now: 0) == nil) }
        #expect(wrong.count(address(200_000), now: 0) == 1)
        #expect(wrong.addressCount == WrongCredentials.addressesMax)
        // Those that are there already keep what is theirs.
        #expect(wrong.count(address(7), now: 0) == nil)
        #expect(wrong.count(address(200_000), now: 1_000) == nil)
        #expect(wrong.addressCount == 2)
    }

    @Test("count for all of an IPv6 subscriber's addresses together")
    func subscriber() {
        let wrong = WrongCredentials()
        for low in 0..<UInt64(WrongCredentials.burstMax) { #expect(wrong.count(IPAddress(high: 1, low: low), now: 0) == nil) }
        #expect(wrong.count(IPAddress(high: 1, low: .max), now: 0) == 1)
        #expect(wrong.addressCount == 1)
    }
}
