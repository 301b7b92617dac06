// The benchmark: `swift run -c release benchmark`. One command, one Markdown table on standard output.
//
// Promises: progress goes to standard error; nothing is listened on but loopback, on free ports; what it starts it
// stops, by process id; what it writes it removes. Targets stand beside their figures, reached or missed. The
// exit status says whether everything was measured, not whether it was fast: 0 yes, 1 not.
// Must not know: how anything is measured; each figure has a file of its own.

import ArgumentParser
import Foundation
import Platform

@main
struct Benchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Measures callback-receiver, its parts and the whole beside nginx, and prints a Markdown table.",
        discussion: """
            What runs is .build/release/callback-receiver, beside nginx and nghttpd:

              deploy/run --build-only
              apt-get install nginx-light wrk nghttp2-client nghttp2-server
              swift run -c release benchmark

            The parts are: the rooms by themselves (micro); the server beside nginx, over HTTP/1.1 (whole) and HTTP/2 \
            (http2); a log of millions of records (log); twice the load that it can bear (overload); a client that behaves \
            while others do not (hostile).

            Takes up to fifteen minutes with the defaults and writes up to 8 GB, all of it removed at the end. The disk \
            that is measured is the one that --directory is on. A part for which something is not installed is left \
            out, and the exit status is 1.
            """)

    /// Of the parts with many loads a round: the whole run is to end within eight minutes.
    private static let roundsMax = 3

    enum Part: String, ExpressibleByArgument, CaseIterable {
        case micro, whole, http2, log, overload, hostile
    }

    @Option(help: "Only this part.")
    var only: Part?

    @Option(help: "Rounds; every figure is the median of them.")
    var rounds = 5

    @Option(help: "Seconds that one load of a round lasts.")
    var seconds = 3

    @Option(help: "Numbers of connections, separated by commas.")
    var connections = "1,64,512"

    @Option(
        help: ArgumentHelp(
            "Where logs are written, in a new folder. Default: beside this program, in .build.", valueName: "DIR"))
    var directory: String?

    @Option(help: ArgumentHelp("The server. Default: callback-receiver beside this program.", valueName: "FILE"))
    var server: String?

    @Option(help: ArgumentHelp("Records of the logs of the part `log`, separated by commas.", valueName: "N,…"))
    var logRecords = "1000000,10000000"

    @Option(help: ArgumentHelp("Where these logs are kept for the next run. Default: they are removed.", valueName: "DIR"))
    var keepLog: String?

    /// This program calls itself so (AllocationCount.swift).
    @Flag(help: .hidden)
    var countAllocations = false

    /// In the order given.
    private var connectionCounts: [Int] { Self.numbers(connections, 1...10_000) ?? [] }
    private var logSizes: [Int] { Self.numbers(logRecords, 1_000...1_000_000_000) ?? [] }

    /// nil where not every one is a number in this range.
    private static func numbers(_ list: String, _ range: ClosedRange<Int>) -> [Int]? {
        let words = list.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = words.compactMap { Int($0) }.filter { range ~= $0 }
        return numbers.count == words.count ? numbers : nil
    }

    func validate() throws {
        guard 1...99 ~= rounds else { throw ValidationError("--rounds: 1 to 99") }
        guard 1...600 ~= seconds else { throw ValidationError("--seconds: 1 to 600") }
        guard Self.numbers(connections, 1...10_000) != nil else {
            throw ValidationError("--connections: numbers from 1 to 10000, separated by commas")
        }
        guard Self.numbers(logRecords, 1_000...1_000_000_000) != nil else {
            throw ValidationError("--log-records: numbers from 1000 to 1000000000, separated by commas")
        }
    }

    func run() throws {
        if countAllocations { return try CodecOperation.each { try AllocationCount.say($0.rawValue, $1) } }
        SignalListener.ignoreBrokenPipes()
        let descriptorsMax = DescriptorLimit.raiseToHardLimit()
        let beside = Machine.folderOfThisProgram
        let workplace = try Workplace(parent: directory ?? beside)
        defer { workplace.clear() }
        let tools = Tools(server: server ?? beside + "/callback-receiver")

        var table = Table()
        var further: [(caption: String, table: Table)] = []
        var missing: [String] = []
        for part in only.map({ [$0] }) ?? Part.allCases {
            let absent = tools.missing(for: part)
            if absent.isEmpty {
                try measure(part, tools, workplace, descriptorsMax, into: &table, &further)
            } else {
                missing += absent.map { "\(part.rawValue): \($0)" }
            }
        }
        print(Machine.header(tools: tools, directory: workplace.path, rounds: rounds, seconds: seconds))
        if !table.isEmpty { print(table.markdown) }
        for (caption, table) in further { print("\n\(caption)\n\n\(table.markdown)") }
        for line in missing { Progress.say("not measured: \(line)") }
        if !missing.isEmpty { throw ExitCode(1) }
    }

    private func measure(
        _ part: Part, _ tools: Tools, _ workplace: Workplace, _ descriptorsMax: Int, into table: inout Table,
        _ further: inout [(caption: String, table: Table)]
    ) throws {
        switch part {
        case .micro:
            let measuring = Measuring(rounds: rounds)
            try CodecFigures.measure(measuring, in: workplace, into: &table)
            try LogFigures.measure(measuring, in: workplace, into: &table)
            Progress.say("results were used; their sum is \(measuring.checksum)")
        case .whole:
            let load = Load(wrk: tools.wrk, seconds: seconds, workplace: workplace)
            try IdleFigures.measure(tools, in: workplace, descriptorsMax: descriptorsMax, into: &table)
            let whole = WholeFigures(tools: tools, workplace: workplace, load: load, rounds: rounds)
            try whole.measure(connectionCounts, into: &table)
        case .http2:
            let figures = HTTP2Figures(tools: tools, workplace: workplace, rounds: min(rounds, Self.roundsMax), seconds: seconds)
            try figures.measure(into: &table)
        case .log:
            let sizes = logSizes
            let figures = ScaleFigures(tools: tools, workplace: workplace, rounds: rounds, seconds: seconds, keptIn: keepLog)
            var scale = ScaleTable.table(sizes)
            try figures.measure(sizes, into: &scale)
            further.append((ScaleTable.caption(sizes), scale))
            var padding = PaddingFigures.table
            try PaddingFigures.measure(rounds: rounds, in: workplace, into: &padding)
            further.append((PaddingFigures.caption, padding))
        case .overload:
            let figures = OverloadFigures(tools: tools, workplace: workplace, rounds: min(rounds, Self.roundsMax), seconds: seconds)
            try figures.measure(into: &table)
        case .hostile:
            let figures = HostileFigures(tools: tools, workplace: workplace, descriptorsMax: descriptorsMax)
            var attacks = HostileFigures.table
            try figures.measure(into: &table, &attacks)
            further.append((HostileFigures.caption, attacks))
        }
    }
}

/// What is being done, on standard error.
enum Progress {
    static func say(_ text: String) { StandardStream.error("benchmark: \(text)\n") }
}

/// The measurement cannot go on. The text says why.
struct BenchmarkFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
