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
            The whole is measured with wrk against .build/release/callback-receiver, which must have been built:

              deploy/run --build-only
              apt-get install nginx-light wrk
              swift run -c release benchmark

            Takes about four minutes with the defaults and writes up to 2 GB, all of it removed at the end. The disk
            that is measured is the one that --directory is on. Without nginx, wrk or the server only the parts are
            measured, and the exit status is 1.
            """)

    enum Part: String, ExpressibleByArgument, CaseIterable {
        case micro, whole
    }

    @Option(help: "Only the parts by themselves (micro), or only the server beside nginx (whole).")
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

    /// This program calls itself so (AllocationCount.swift).
    @Flag(help: .hidden)
    var countAllocations = false

    /// In the order given.
    private var connectionCounts: [Int] { connections.split(separator: ",").compactMap { Int($0) } }

    func validate() throws {
        guard 1...99 ~= rounds else { throw ValidationError("--rounds: 1 to 99") }
        guard 1...600 ~= seconds else { throw ValidationError("--seconds: 1 to 600") }
        let asked = connections.split(separator: ",", omittingEmptySubsequences: false)
        guard connectionCounts.count == asked.count, connectionCounts.allSatisfy({ 1...10_000 ~= $0 }) else {
            throw ValidationError("--connections: numbers from 1 to 10000, separated by commas")
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
        if only != .whole {
            let measuring = Measuring(rounds: rounds)
            try CodecFigures.measure(measuring, in: workplace, into: &table)
            try LogFigures.measure(measuring, in: workplace, into: &table)
            Progress.say("results were used; their sum is \(measuring.checksum)")
        }
        let isWholeWanted = only != .micro
        if isWholeWanted, tools.missing.isEmpty {
            let load = Load(wrk: tools.wrk, seconds: seconds, workplace: workplace)
            try IdleFigures.measure(tools, in: workplace, descriptorsMax: descriptorsMax, into: &table)
            let whole = WholeFigures(tools: tools, workplace: workplace, load: load, rounds: rounds)
            try whole.measure(connectionCounts, into: &table)
        }
        print(Machine.header(tools: tools, directory: workplace.path, rounds: rounds, seconds: seconds))
        print(table.markdown)
        guard isWholeWanted else { return }
        for line in tools.missing { Progress.say("not measured: \(line)") }
        if !tools.missing.isEmpty { throw ExitCode(1) }
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
