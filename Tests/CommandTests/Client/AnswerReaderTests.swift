// Answers of servers, whole and in pieces, and everything that is none.

import Testing

@testable import callback_receiver

@Suite("An answer")
struct AnswerReaderTests {
    private struct Read: Equatable {
        var status: Int?
        var body = ""
        var isDone = false
        var fault: String?
    }

    /// Reads `text` in pieces of so many bytes, then the connection's end.
    private func read(_ text: String, each: Int, end: Bool = true) -> Read {
        var reader = AnswerReader()
        var read = Read()
        let bytes = Array(text.utf8)
        do throws(AnswerFault) {
            for start in stride(from: 0, to: bytes.count, by: each) {
                try reader.take(bytes[start..<min(bytes.count, start + each)])
                read.body += String(decoding: reader.takeBody(), as: UTF8.self)
            }
        } catch {
            read.fault = error.text
        }
        read.isDone = end ? reader.end() : reader.isDone
        read.status = reader.status
        return read
    }

    @Test(
        "the body is as long as the head says, or to the end, however it is split",
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"), ("HTTP/1.1 200 OK\ncontent-length:5\n\nhello", 200, "hello"),
            ("HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", 404, ""), ("HTTP/1.0 200 OK\r\n\r\nto the end", 200, "to the end"),
            ("HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n", 204, ""), ("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500", 200, "ok"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n \r\n5 \r\nworld\r\n0\r\nX: y\r\n\r\n", 200, "hello world"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding:  Chunked \r\n\r\nA\r\n0123456789\r\n0\r\n\r\n", 200, "0123456789"),
            ("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!", 200, "!"),
        ])
    func whole(text: String, status: Int, body: String) {
        for each in 1...text.utf8.count {
            #expect(read(text, each: each) == Read(status: status, body: body, isDone: true), "in pieces of \(each)")
        }
    }

    @Test("an answer that ends too soon is not whole, wherever it is cut", arguments: ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"])
    func cut(text: String) {
        for length in 0..<text.utf8.count {
            #expect(!read(String(decoding: text.utf8.prefix(length), as: UTF8.self), each: 1_000).isDone, "after \(length) bytes")
        }
    }

    @Test(
        "what could be read in two ways, or is no HTTP, is a fault",
        arguments: [
            "SSH-2.0-OpenSSH_9\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 999\r\n\r\n", "HTTP/1.1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nhello\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000000000000000\r\n",
        ])
    func faults(text: String) {
        for each in [1, 7, text.utf8.count] { #expect(read(text, each: each).fault != nil) }
    }

    @Test("a head or a chunk's line without end is a fault, not memory")
    func endless() {
        #expect(read("HTTP/1.1 200 " + String(repeating: "x", count: 17_000), each: 1_000).fault == "sends a head that does not end")
        #expect(read("HTTP/1.1 200 OK\r\n" + String(repeating: "a: b\r\n", count: 4_000), each: 1_000).fault == "sends a head that does not end")
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(read(chunked + "1;" + String(repeating: "x", count: 17_000), each: 1_000).fault == "sends a head that does not end")
        // Any number of sound chunks is no head.
        #expect(read(chunked + String(repeating: "1\r\nx\r\n", count: 20_000), each: 1_000).fault == nil)
    }

    @Test("Retry-After counts in seconds, to an hour", arguments: [("5", 5), ("99999", 3_600), ("Fri, 27 Nov 2026 12:00:00 GMT", nil), ("-1", nil)] as [(String, Int?)])
    func retryAfter(text: String, seconds: Int?) throws {
        var reader = AnswerReader()
        try reader.take(Array("HTTP/1.1 503 x\r\nRetry-After: \(text)\r\n\r\n".utf8)[...])
        #expect(reader.retryAfterSeconds == seconds)
    }
}
