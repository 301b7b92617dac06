// Figures of the log at scale: what a start, a look-up and a new callback cost on a log of one million records, of ten…
//
//     write ─▶ first start: index files ─▶ starts after clean stops ─▶ look-ups ─▶ starts after SIGKILL under load
//           ─▶ new callbacks, on this log and on an empty one in turn ─▶ a log of superseded records: a list, a tally
//
// Promises: every start, look-up and load meets the log as it was written, in the page cache: what servers added is taken
// away again. Each target stands beside its figures, and is reached when all of them reach it.
// Must not know: how anything is timed.

import CallbackLog
import Foundation
import Platform

struct ScaleFigures {
    /// What one log gave; not a number where it was not measured. Memory in bytes, look-ups in µs, lists in ms, other times
    /// in seconds.
    struct Figures {
        var logBytes = Double.nan
        var newestSegmentBytes = Double.nan
        var indexSeconds = Double.nan
        var indexBytes = Double.nan
        var indexMemory = Double.nan
        var clean = LongLogServer.Starts()
        var killed = LongLogServer.Starts()
        var there = LookUpTimes()
        var absent = LookUpTimes()
        var thereOverHTTP = LookUpTimes()
        var absentOverHTTP = LookUpTimes()
        var absentInEmptyLog = LookUpTimes()
        var posts: [Double] = []
        var postShares: [Double] = []
        var postMicroseconds: [Double] = []
        var postMicrosecondsOnEmpty: [Double] = []
        var loadMemory = Double.nan
        var newestMilliseconds = Double.nan
        var tallyMilliseconds = Double.nan

        /// Adds some index files. Where they did not all come, there is no figure.
        mutating func addIndex(_ made: (seconds: Double?, peakBytes: Double)) {
            indexSeconds = (indexSeconds.isNaN ? 0 : indexSeconds) + (made.seconds ?? .nan)
            indexMemory = Double.maximum(indexMemory, made.peakBytes)
        }

        var startMemory: Double { max(clean.peakBytes, killed.peakBytes) }
        var postsMedian: Double { median(posts) }
        var postShare: Double { median(postShares) }
        var postProcessor: Double { median(postMicroseconds) }
        var postProcessorOnEmpty: Double { median(postMicrosecondsOnEmpty) }
    }

    private static let firstSeries: UInt32 = 0x400
    /// Of a load: in so long each log seals a segment or two and makes its index, the empty one, too.
    static let loadSecondsMin = 10
    private static let postRoundsMax = 3

    let tools: Tools
    let workplace: Workplace
    let rounds: Int
    let seconds: Int
    /// Where the logs are kept for another run; nil to remove them.
    let keptIn: String?

    func measure(_ sizes: [Int], into table: inout Table) throws {
        var columns: [(records: Int, figures: Figures)] = []
        for records in sizes {
            let parent = keptIn ?? workplace.path
            let free = try SystemDirectory(creating: parent).freeBytes()
            let wanted = LongLog.bytesMax(records: records)
            guard free >= wanted else {
                Progress.say("\(text(Double(records))) records: \(free / 1_000_000) MB are free and \(wanted / 1_000_000) are wanted")
                columns.append((records, Figures()))
                continue
            }
            columns.append((records, try measure(records, in: parent)))
        }
        ScaleTable.report(columns, into: &table)
    }

    private func measure(_ records: Int, in parent: String) throws -> Figures {
        Progress.say("a log of \(text(Double(records))) records")
        let server = LongLogServer(tools: tools, workplace: workplace)
        var figures = Figures()
        var log = try LongLog(records: records, in: parent) {
            let made = try server.makeIndexFiles($0)
            guard made.seconds != nil else { throw BenchmarkFailure("the server makes no index files, and holes cannot be read") }
            figures.addIndex(made)
        }
        var isRemoved = false
        defer { if keptIn == nil, !isRemoved { log.remove() } }
        figures.logBytes = log.bytes
        figures.newestSegmentBytes = log.newestSegmentBytes
        // Those of holes cannot be made again.
        if !log.isThinnedOut { try log.removeIndexFiles() }
        if try log.missingIndexFiles() > 0 { try figures.addIndex(server.makeIndexFiles(log)) }
        figures.indexBytes = try log.indexBytes()
        try log.keepDerived()

        var course = Course(server: server, log: log, series: Self.firstSeries)
        Progress.say("starts after a clean stop, look-ups")
        try course.cleanStarts(rounds, &figures)
        Progress.say("look-ups in the log alone")
        try course.lookUps(&figures)
        Progress.say("starts after SIGKILL")
        try course.killedStarts(rounds, &figures)
        for round in 1...min(rounds, Self.postRoundsMax) {
            Progress.say("new callbacks, round \(round)")
            try course.posts(seconds: max(seconds, Self.loadSecondsMin), isFirstOnEmpty: round % 2 == 0, &figures)
        }
        guard !log.isThinnedOut else { return figures }
        if keptIn == nil {
            // The next one takes its room.
            log.remove()
            isRemoved = true
        }
        Progress.say("the newest of a rare status, most of which are superseded")
        let superseded = try SupersededLog(records: records, in: parent)
        defer { superseded.remove() }
        (figures.newestMilliseconds, figures.tallyMilliseconds) = try superseded.times(rounds)
        return figures
    }
}

/// The measurements of one log, in their order; each leaves it as it found it.
private struct Course {
    let server: LongLogServer
    let log: LongLog
    /// Of the next load.
    var series: UInt32
    var random = SeededNumbers(seed: 3)
    var marker = Marker()

    private mutating func nextSeries() -> UInt32 {
        series += 1
        return series
    }

    private mutating func start() throws -> (Subject, LongLogServer.Start) {
        try server.start(log, asking: .random(in: log.there, using: &random))
    }

    mutating func cleanStarts(_ rounds: Int, _ figures: inout ScaleFigures.Figures) throws {
        for round in 1...rounds {
            let (here, start) = try start()
            defer { server.workplace.stop(here.process) }
            figures.clean.all.append(start)
            // So that there is something to stop.
            _ = try marker.sequence(here)
            guard round == rounds else { continue }
            figures.thereOverHTTP = try LookUpTimes(log, port: here.port, areThere: true)
            figures.absentOverHTTP = try LookUpTimes(log, port: here.port, areThere: false)
        }
        try log.restore()
    }

    func lookUps(_ figures: inout ScaleFigures.Figures) throws {
        var options = LogOptions()
        options.versions = try log.indexVersions()
        let opened = try CallbackLog.open(path: log.path, options: options)
        guard opened.report.unindexed.isEmpty else { throw BenchmarkFailure("without index files: \(opened.report.unindexed)") }
        figures.there = try LookUpTimes(log, in: opened, areThere: true)
        figures.absent = try LookUpTimes(log, in: opened, areThere: false)
        opened.close()
        try log.restore()
    }

    mutating func killedStarts(_ rounds: Int, _ figures: inout ScaleFigures.Figures) throws {
        var (here, _) = try start()
        for _ in 1...rounds {
            server.killUnderLoad(here, series: nextSeries())
            let again = try start()
            here = again.0
            figures.killed.all.append(again.1)
        }
        server.workplace.stop(here.process)
        try log.restore()
    }

    /// One load on the log and one on an empty one.
    mutating func posts(seconds: Int, isFirstOnEmpty: Bool, _ figures: inout ScaleFigures.Figures) throws {
        var share = 1.0
        for isOnEmpty in [isFirstOnEmpty, !isFirstOnEmpty] {
            if isOnEmpty {
                let directory = server.workplace.path + "/empty"
                let here = try Subject.receiver(server.tools, server.workplace, directory: directory)
                defer {
                    server.workplace.stop(here.process)
                    try? FileManager.default.removeItem(atPath: directory)
                }
                figures.absentInEmptyLog = try LookUpTimes(log, port: here.port, areThere: false)
                let load = try server.durablePosts(here, seconds: seconds, series: nextSeries())
                figures.postMicrosecondsOnEmpty.append(load.microseconds)
                share /= load.perSecond
            } else {
                let (here, _) = try start()
                defer { server.workplace.stop(here.process) }
                let load = try server.durablePosts(here, seconds: seconds, series: nextSeries())
                figures.posts.append(load.perSecond)
                figures.postMicroseconds.append(load.microseconds)
                figures.loadMemory = Double.maximum(figures.loadMemory, load.peakBytes)
                share *= load.perSecond
            }
        }
        figures.postShares.append(share)
        try log.restore()
    }
}
