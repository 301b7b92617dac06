// One load of a round over HTTP/2: h2load, and what it counted.
//
// Promises: 64 connections of 16 streams each, one thread, for a given time after a warm-up; every peer gets the same.
// What h2load counts is answers that came whole in the measured time.
// Must not know: who answers, and what is in an answer.

import Foundation

struct HTTP2Load {
    static let connections = 64
    static let streams = 16
    /// How many requests wait for their answers at any time.
    static var inFlight: Int { connections * streams }

    struct Result {
        let requestsPerSecond: Double
        /// Answers with a status below 400, and everything else.
        let succeeded: Int
        let failed: Int
    }

    let h2load: String
    let seconds: Int
    let workplace: Workplace

    /// GETs of `paths`, one after the other, on each connection from the first on.
    func get(_ paths: [String], port: UInt16) throws -> Result {
        let list = workplace.path + "/addresses.txt"
        let addresses = paths.map { "http://127.0.0.1:\(port)\($0)\n" }.joined()
        try addresses.write(toFile: list, atomically: false, encoding: .utf8)
        return try run(["-i", list])
    }

    /// POSTs of the same body again and again: for peers that keep nothing.
    func post(_ body: [UInt8], _ path: String, port: UInt16) throws -> Result {
        let file = workplace.path + "/body.json"
        try Data(body).write(to: URL(filePath: file))
        return try run(["-d", file, "http://127.0.0.1:\(port)\(path)"])
    }

    private func run(_ what: [String]) throws -> Result {
        let output = Pipe()
        let arguments = [
            "-c", "\(Self.connections)", "-m", "\(Self.streams)", "-t", "1", "--duration=\(seconds)",
            "--warm-up-time=500ms",
        ]
        let process = try workplace.start(
            h2load, arguments + what, output: output, errors: workplace.path + "/h2load.log")
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        workplace.stop(process)
        let lines = said.split(separator: "\n")
        // "finished in 3.50s, 123456.67 req/s, 58.94MB/s" and "status codes: 370370 2xx, 0 3xx, 0 4xx, 0 5xx"
        guard let rate = Self.words(lines, "finished in ").dropFirst(3).first.flatMap({ Double($0) }),
            let errors = Self.number(lines, "requests: ", "errored,"),
            let good = Self.number(lines, "status codes: ", "2xx,")
        else { throw BenchmarkFailure("h2load gave no result: \(said.suffix(500))") }
        let refused = ["4xx,", "5xx"].reduce(0) { $0 + (Self.number(lines, "status codes: ", $1) ?? 0) }
        return Result(requestsPerSecond: rate, succeeded: good, failed: errors + refused)
    }

    private static func words(_ lines: [Substring], _ start: String) -> [Substring] {
        lines.first { $0.hasPrefix(start) }?.split(separator: " ") ?? []
    }

    /// The number before `word` on the line that begins so.
    private static func number(_ lines: [Substring], _ start: String, _ word: String) -> Int? {
        let words = words(lines, start)
        return words.firstIndex(of: word[...]).flatMap { $0 > 0 ? Int(words[$0 - 1]) : nil }
    }
}
