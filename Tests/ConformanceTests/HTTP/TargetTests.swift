// RFC 9112 §3.2, §3.3 and RFC 9110 §4.2, §7.2: what a request is for, and on which host.
//
// Promises: every form of a target and of a Host, right and wrong, with a callback behind each wrong one.
// Must not know: routes beyond the callback and one query.

import Testing
import TestSupport

@Suite("RFC 9112 §3.2: target and Host")
struct TargetTests {
    @Test(
        "RFC 9112 §3.2: a target of no form is refused",
        arguments: [
            "callback", "callback/", "?", "?x", "#", "*", "*/callback", "**", "\\callback", "./callback", "../callback", "x:80", "127.0.0.1:80", "x", ":",
            "://x/callback",
            "http", "http:", "http:/", "http:/callback", "http:callback", "http//x/callback", "http://", "http://?", "http://#", "1http://x/callback",
        ])
    func noForm(target: String) throws {
        try expectRefused(head: "POST \(target) HTTP/1.1\r\nHost: x\r\nContent-Length: $L")
    }

    @Test(
        "RFC 9110 §4.2.1: an http URI with an empty host is invalid",
        arguments: ["http:///callback", "http://:80/callback", "http://:/callback", "HTTP:///callback"])
    func emptyHost(target: String) throws {
        try expectRefused(head: "POST \(target) HTTP/1.1\r\nHost: x\r\nContent-Length: $L")
    }

    @Test(
        "RFC 9112 §3.2.2: an absolute-form whose authority is malformed is refused",
        arguments: [
            "http://x:y/callback", "http://x:80:80/callback", "http://x:-1/callback", "http://x:+80/callback", "http://[::1/callback", "http://::1/callback",
            "http://[::1]x/callback", "http://[x]/callback", "http://a\\b/callback", "http://<x>/callback", "http://%/callback", "http://x%zz/callback",
        ])
    func malformedAuthority(target: String) throws {
        try expectRefused(head: "POST \(target) HTTP/1.1\r\nHost: x\r\nContent-Length: $L")
    }

    @Test(
        "RFC 9110 §4.2.4: user information in a target from outside is an error",
        arguments: ["http://user@x/callback", "http://user:password@x/callback", "http://@x/callback"])
    func userInformation(target: String) throws {
        try expectRefused(head: "POST \(target) HTTP/1.1\r\nHost: x\r\nContent-Length: $L")
    }

    @Test("RFC 9112 §3.2: a fragment is no part of a target", arguments: ["/callback#", "/callback#x", "/callback?#x", "http://x/callback#x", "/#/callback"])
    func fragment(target: String) throws {
        try expectRefused(head: "POST \(target) HTTP/1.1\r\nHost: x\r\nContent-Length: $L")
    }

    @Test("RFC 9112 §3.2: white space, control bytes and bytes beyond ASCII are in no target")
    func targetBytes() throws {
        for byte in (0...0xFF as ClosedRange<UInt8>) where byte <= 0x20 || byte >= 0x7F {
            for start in ["POST /call", "POST /callback?", "POST http://x/call"] {
                try expectRefused(Array(start.utf8) + [byte] + Array("back HTTP/1.1\r\nHost: x\r\nContent-Length: $L\r\n\r\n".utf8))
            }
        }
    }

    @Test("RFC 3986 §2: characters that are in no URI are refused, or name nothing")
    func charactersOutsideURIs() throws {
        for character in "\"<>\\^`{|}" {
            let answer = try Shared.server().exchange(requestBytes("POST", "/call\(character)back", body: Array(sentPayload("nowhere").utf8)))
            #expect(answer.status == 400 || answer.status == 404, "\(character): \(answer.status)")
        }
    }

    @Test(
        "RFC 9112 §3.2.2: the absolute-form is accepted, its scheme in any case",
        arguments: [
            "http://x/callback", "HTTP://x/callback", "hTtP://X:80/callback?a", "http://x:/callback", "http://127.0.0.1:8080/callback/",
            "http://[::1]/callback", "http://other.example/callback",
        ])
    func absoluteForm(target: String) throws {
        try expectTaken(head: "POST \(target) HTTP/1.1\r\nHost: x\r\nContent-Length: $L")
    }

    @Test("RFC 9112 §3.2.2: an absolute-form without a path is for the root", arguments: ["http://127.0.0.1", "http://127.0.0.1?callback", "http://127.0.0.1:80"])
    func absoluteFormWithoutPath(target: String) throws {
        let answer = try Shared.server().exchange(requestBytes("POST", target, body: Array(sentPayload(Shared.freshIdentifier()).utf8)))
        // The page is there, and takes no POST.
        try expectProblem(answer, 405, instance: "/")
    }

    @Test("RFC 9112 §3.2.2: with an absolute-form the Host field is ignored; without one it counts")
    func hostIgnored() throws {
        let server = try Shared.server()
        for (target, host, status) in [
            ("http://127.0.0.1/v1/requests/nobody", "evil.example", 404), ("http://evil.example/v1/requests/nobody", "127.0.0.1", 401),
            ("/v1/requests/nobody", "evil.example", 401), ("/v1/requests/nobody", "127.0.0.1", 404),
        ] {
            #expect(try server.exchange(requestBytes("GET", target, host: host)).status == status, "\(target) \(host)")
        }
    }

    @Test("RFC 9112 §3.2.3: the authority-form is for CONNECT alone, and an origin server makes no tunnel")
    func authorityForm() throws {
        for method in ["GET", "OPTIONS", "POST", "DELETE"] {
            try expectRefused(head: "\(method) example.org:443 HTTP/1.1\r\nHost: example.org:443\r\nContent-Length: $L")
        }
        for target in ["example.org:443", "127.0.0.1:80"] {
            let connection = try Shared.server().connect()
            try connection.send(requestBytes("CONNECT", target, host: target), toleratingClose: true)
            let answer = try connection.readAnswer()
            #expect((400...599).contains(answer.status), "\(answer.status)")
        }
        // RFC 9110 §9.3.6: an empty or invalid port is rejected.
        for target in ["example.org", "example.org:", "example.org:x", "/callback", "http://example.org/", "*", ":443"] {
            let answer = try Shared.server().exchange(requestBytes("CONNECT", target))
            #expect((400...599).contains(answer.status), "\(answer.status) to \(target)")
        }
    }

    @Test("RFC 9112 §3.2.4: the asterisk-form is for OPTIONS alone")
    func asteriskForm() throws {
        for method in ["GET", "HEAD", "POST", "DELETE", "TRACE"] {
            let connection = try Shared.server().connect()
            try connection.send(requestBytes(method, "*"), toleratingClose: true)
            let status = try connection.readAnswer(toHEAD: method == "HEAD").status
            #expect(status == 400 || (method == "TRACE" && [405, 501].contains(status)), "\(method): \(status)")
        }
        let answer = try Shared.server().exchange(requestBytes("OPTIONS", "*"))
        #expect([200, 204, 404, 405, 501].contains(answer.status), "\(answer.status)")
    }

    @Test(
        "RFC 3986 §2.4: a target is split, then decoded once",
        arguments: [
            ("a%2561", "a%61"), ("a%252Fb", "a%2Fb"), ("a%25", "a%"), ("%61", "a"), ("a%2Fb", "a/b"), ("a%3Fb", "a?b"), ("%2E%2E", ".."), ("a%23b", "a#b"),
            ("a+b", "a+b"),
        ])
    func decodedOnce(segment: String, name: String) throws {
        let server = try Shared.server()
        let unique = Shared.freshIdentifier("once")
        #expect(try server.post(sentPayload(unique + name)).status == 200)
        let answer = try server.get("/v1/requests/\(unique)\(segment)")
        #expect(answer.status == 200, "\(answer.text)")
        #expect(try answer.object().string("request_id") == unique + name)
        // Decoded twice, this would be another name.
        #expect(try server.get("/v1/requests/\(unique)\(segment.replacing("%", with: "%25"))").status == 404 || !segment.contains("%"))
    }

    @Test("RFC 3986 §2.1: a percent sign without two digits is refused or nobody's name", arguments: ["%", "%4", "%zz", "%4g", "%%41", "%-1", "%+1", "% 1"])
    func brokenEscapes(segment: String) throws {
        let answer = try Shared.server().exchange(requestBytes("GET", "/v1/requests/x\(segment)"))
        #expect(answer.status == 400 || answer.status == 404, "\(answer.status)")
        let posted = try Shared.server().post(sentPayload(Shared.freshIdentifier()), to: "/callback\(segment)")
        #expect(posted.status == 400 || posted.status == 404, "\(posted.status)")
    }
}

@Suite("RFC 9112 §3.2: Host")
struct HostTests {
    @Test("RFC 9112 §3.2: a request of HTTP/1.1 without Host is 400", arguments: ["/callback", "http://x/callback"])
    func missing(target: String) throws {
        try expectRefused(head: "POST \(target) HTTP/1.1\r\nContent-Length: $L")
        try expectRefused(head: "POST \(target) HTTP/1.1\r\nX-Host: x\r\nContent-Length: $L")
    }

    @Test("RFC 9112 §3.2: more than one Host is 400, alike or not, whatever the version", arguments: ["HTTP/1.1", "HTTP/1.0"])
    func double(version: String) throws {
        for second in ["Host: x", "Host: y", "host: x", "HOST:", "Host: x\r\nHost: x"] {
            try expectRefused(head: "POST /callback \(version)\r\nHost: x\r\n\(second)\r\nContent-Length: $L")
            try expectRefused(head: "POST /callback \(version)\r\nHost: x\r\nX: y\r\nContent-Length: $L\r\n\(second)")
            try expectRefused(head: "POST http://x/callback \(version)\r\nHost: x\r\n\(second)\r\nContent-Length: $L")
        }
    }

    @Test(
        "RFC 9112 §3.2: a Host that is no host and port is 400",
        arguments: [
            "x, y", "x y", "x\ty", "a/b", "/", "a?b", "a#b", "user@x", "user:password@x", "@x", "x:y", "x:80:80", "x:-1", "x:+80", "x:8 0", "x: 80", "x :80",
            ":80",
            "http://x", "[::1", "::1", "[::1]x", "[::1]:x", "[::1]]", "[[::1]]", "[]", "[x]", "[::1%25eth0", "[:::1]", "[1:2:3:4:5:6:7:8:9]", "[::12345]",
            "[::g]", "<x>", "\"x\"", "a\\b", "%", "x%2", "x%zz", "a^b", "a`b",
            "{x}", "a|b", "x:８０", "\u{E9}.example",
        ])
    func malformed(host: String) throws {
        try expectRefused(head: "POST /callback HTTP/1.1\r\nHost: \(host)\r\nContent-Length: $L")
    }

    @Test(
        "RFC 9112 §3.2: a Host of any right form is taken",
        arguments: [
            "x", "X.example", "x:80", "x:", "127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:80", "[2001:db8::192.0.2.1]", "xn--bcher-kva.example", "a_b",
            "a-b.c.", "%41", "a~b!$&'()*+,;=",
        ])
    func wellFormed(host: String) throws {
        try expectTaken(head: "POST /callback HTTP/1.1\r\nHost: \(host)\r\nContent-Length: $L")
        try expectTaken(head: "POST /callback HTTP/1.1\r\nhOsT:\(host)  \t\r\nContent-Length: $L")
    }
}
