// Which server is asked, and as whom.

import CallbackReceiver
import Foundation
import Platform
import TestSupport
import Testing

@testable import callback_receiver

@Suite("The client's settings")
struct ClientSettingsTests {
    @Test(
        "a URL is host and port",
        arguments: [
            ("http://127.0.0.1:8081", "http://127.0.0.1:8081"), ("HTTP://localhost:1/", "http://localhost:1"), ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://[::1]", "http://[::1]:80"), ("http://callbacks.example", "http://callbacks.example:80"),
        ])
    func urls(text: String, shown: String) throws {
        #expect(try ServerURL(parsing: text).text == shown)
    }

    @Test(
        "what is more or less than that is refused, with what to do, and without what may be secret",
        arguments: [
            ("https://127.0.0.1:8080", "https is not spoken here"), ("127.0.0.1:8080", "is no URL"), ("ftp://x", "another scheme"),
            ("http://u:hunter2@127.0.0.1:8080", "client.token-file"), ("http://127.0.0.1:8080/v1", "more than host and port"),
            ("http://127.0.0.1:8080?key=hunter2", "more than host and port"), ("http://127.0.0.1:0", "port 0"), ("http://127.1:80", "is no address"),
            ("http://", "names no host"), ("http://127.0.0.1:65536", "too large"),
        ])
    func refused(text: String, because: String) {
        let refusal = #expect(throws: Refusal.self) { try ServerURL(parsing: text) }
        #expect(refusal?.text.contains(because) == true && refusal?.text.contains("hunter2") == false, "\(refusal?.text ?? "")")
    }

    @Test("without a URL it is where the API of the same configuration listens")
    func listening() {
        func url(_ host: String, _ port: UInt16) -> String? { ServerURL(listening: .init(host: host, port: port))?.text }
        #expect(url("127.0.0.1", 8080) == "http://127.0.0.1:8080")
        #expect(url("0.0.0.0", 1) == "http://127.0.0.1:1" && url("::", 1) == "http://[::1]:1")
        #expect(url("127.0.0.1", 0) == nil)
    }

    @Test("a token is identifier and key, as token create prints them or with a colon", arguments: ["identifier-0123456 key-0123456789:/+", "identifier-0123456\nkey-0123456789:/+\n", "identifier-0123456:key-0123456789:/+\r\n"])
    func tokens(text: String) throws {
        #expect(try ClientToken(Array(text.utf8)).authorization == "Basic " + Data("identifier-0123456:key-0123456789:/+".utf8).base64EncodedString())
    }

    @Test("what is no token is refused without repeating it", arguments: ["", "hunter2", "a:hunter2 c", "hunter2 b c", "a\thunter2\u{E9}", ":hunter2", String(repeating: "hunter2", count: 600) + " b"])
    func noTokens(text: String) {
        let refusal = #expect(throws: Refusal.self) { try ClientToken(Array(text.utf8)) }
        #expect(refusal?.text.contains("hunter2") == false && refusal?.text.contains("token create") == true)
    }

    @Test("base64 is RFC 4648's, at every length")
    func base64() {
        for length in 0...70 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 83) }
            #expect(Base64.text(bytes) == Data(bytes).base64EncodedString())
        }
    }
}
