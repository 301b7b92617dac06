// One load of a round: wrk, its script, and what it counted.
//
// Promises: the script is the same for both subjects but for the port. A POST brings an id that was never sent before
// (series of the run, thread, number); a GET asks for a random known one. What wrk counts is answers that came whole
// before it stopped; up to one more for each connection may have been on its way.
// Must not know: who answers.

import Foundation

struct Load {
    enum Kind {
        /// Of unique callbacks, in this series.
        case posts(series: UInt32)
        /// Of ids 1…known of the known series.
        case gets(known: Int)
    }

    struct Result {
        let requestsPerSecond: Double
        /// Answers with a status below 400, and others.
        let succeeded: Int
        let failed: Int
        /// Connections that could not be made, read or written, and answers later than 2 s.
        let socketErrors: Int
        let medianMicroseconds: Double
        let percentile99Microseconds: Double
    }

    let wrk: String
    let seconds: Int
    let workplace: Workplace

    func run(_ kind: Kind, connections: Int, port: UInt16) throws -> Result {
        let script = workplace.path + "/load.lua"
        try Self.script(kind).write(toFile: script, atomically: false, encoding: .utf8)
        let output = Pipe()
        let arguments = [
            "-t", "\(min(2, connections))", "-c", "\(connections)", "-d", "\(seconds)s", "-s", script,
            "http://127.0.0.1:\(port)",
        ]
        let process = try workplace.start(wrk, arguments, output: output, errors: workplace.path + "/wrk.log")
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        workplace.stop(process)
        guard let line = said.split(separator: "\n").first(where: { $0.hasPrefix("RESULT ") }) else {
            throw BenchmarkFailure("wrk gave no result: \(said.suffix(500))")
        }
        let numbers = line.split(separator: " ").dropFirst().compactMap { Double($0) }
        guard numbers.count == 6 else { throw BenchmarkFailure("wrk's result is not as expected: \(line)") }
        return Result(
            requestsPerSecond: numbers[0] / numbers[3] * 1_000_000, succeeded: Int(numbers[0] - numbers[1]),
            failed: Int(numbers[1]), socketErrors: Int(numbers[2]), medianMicroseconds: numbers[4],
            percentile99Microseconds: numbers[5])
    }

    private static func script(_ kind: Kind) -> String {
        let request: String
        switch kind {
        case .posts(let series):
            request = """
                local identifier = "\(Sample.requestID(series: series, number: 0))"
                local text = wrk.format("POST", "/callback", { ["Content-Type"] = "application/json" },
                  '\(Sample.bodyStart)' .. identifier .. '\(Sample.bodyEnd)')
                local at = text:find(identifier, 1, true)
                local before, after = text:sub(1, at + 23), text:sub(at + 36)
                local count = number * 4294967296
                request = function()
                  count = count + 1
                  return before .. string.format("%012x", count) .. after
                end
                """
        case .gets(let known):
            request = """
                local identifier = "\(Sample.requestID(series: Sample.knownSeries, number: 0))"
                local text = wrk.format("GET", "/v1/requests/" .. identifier)
                local at = text:find(identifier, 1, true)
                local before, after = text:sub(1, at + 23), text:sub(at + 36)
                math.randomseed(number + 1)
                request = function()
                  return before .. string.format("%012x", math.random(1, \(known))) .. after
                end
                """
        }
        return """
            local threads = 0
            function setup(thread)
              thread:set("number", threads)
              threads = threads + 1
            end
            function init()
            \(request)
            end
            function done(summary, latency)
              local errors = summary.errors
              io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests, errors.status,
                errors.connect + errors.read + errors.write + errors.timeout, summary.duration,
                latency:percentile(50), latency:percentile(99)))
            end
            """
    }
}
