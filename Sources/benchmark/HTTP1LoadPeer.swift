// A load's connection over HTTP/1.1: requests in a row, answers in the same order.
//
// Promises: up to `depth` requests are sent before the first of them is answered (pipelining, RFC 9112 §9.3.2); an
// answer ends by its Content-Length, none means no content.
// Must not know: what LoadPeer.swift says it must not.

import Platform

struct HTTP1LoadPeer: LoadPeer {
    private static let lengthName = Array("content-length:".utf8)
    private static let headEnd = Array("\r\n\r\n".utf8)

    private let request: [UInt8]
    private let place: NumberPlace
    private var answeredCount = 0

    init(authority: String, series: UInt32) {
        let head = "POST /callback HTTP/1.1\r\nHost: \(authority)\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(Sample.bodyBytes)\r\n\r\n"
        request = Array(head.utf8) + Sample.body(Sample.requestID(series: series, number: 0))
        place = NumberPlace(in: request, series: series)
    }

    func open(into output: inout [UInt8]) {}

    func room(inFlight: Int, depth: Int) -> Int { depth - inFlight }

    mutating func ask(number: UInt64, into output: inout [UInt8]) {
        let start = output.count
        output.append(contentsOf: request)
        place.write(number, to: &output, from: start)
    }

    mutating func receive(
        _ bytes: [UInt8], count: Int, into output: inout [UInt8], _ answered: (LoadAnswer) -> Void
    ) throws -> Int {
        var position = 0
        while let bodyStart = Self.bodyStart(bytes, from: position, to: count) {
            let end = bodyStart + Self.contentLength(bytes, from: position, to: bodyStart)
            guard end <= count else { break }
            let status = bytes[(position + 9)..<(position + 12)].reduce(0) { $0 * 10 + Int($1) - 0x30 }
            guard 200...599 ~= status else { throw BenchmarkFailure("an answer begins with no status") }
            let isStored = status == 200 && end > bodyStart
            let sequence = isStored ? AnswerText.number(after: AnswerText.sequence, bytes, from: bodyStart, to: end) : 0
            answered(LoadAnswer(index: answeredCount, status: status, sequence: sequence))
            answeredCount += 1
            position = end
        }
        return position
    }

    /// Behind the empty line.
    private static func bodyStart(_ bytes: [UInt8], from start: Int, to end: Int) -> Int? {
        // The shortest status line: "HTTP/1.1 200", CRLF, CRLF.
        var position = start + 12
        while position + 4 <= end, let found = ByteSearch.firstIndex(of: 0x0D, in: bytes.span.extracting(0..<end), from: position) {
            guard found + 4 <= end else { return nil }
            if bytes[found + 2] == 0x0D, bytes[found + 3] == 0x0A { return found + 4 }
            position = found + 2
        }
        return nil
    }

    private static func contentLength(_ bytes: [UInt8], from start: Int, to end: Int) -> Int {
        var line = start
        while let found = ByteSearch.firstIndex(of: 0x0A, in: bytes.span.extracting(0..<end), from: line) {
            line = found + 1
            guard line + lengthName.count < end, bytes[line] | 0x20 == lengthName[0] else { continue }
            guard lengthName.indices.allSatisfy({ bytes[line + $0] | 0x20 == lengthName[$0] | 0x20 }) else { continue }
            return bytes[(line + lengthName.count)..<end].drop { $0 == 0x20 }.prefix { 0x30...0x39 ~= $0 }
                .reduce(0) { $0 * 10 + Int($1) - 0x30 }
        }
        return 0
    }
}
