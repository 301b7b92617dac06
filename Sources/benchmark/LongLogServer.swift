// The server on a long log: started, asked until it answers, loaded, ended in one way or the other.
//
// Promises: a start is timed from before its process is made to the first 200 for a random id that is there; its anonymous
// memory is watched from the beginning. Must not know: what else is measured.

import Dispatch
import Foundation
import Platform

struct LongLogServer {
    /// One start.
    struct Start {
        let seconds: Double
        /// Anonymous memory in bytes: the most until then, and then.
        let peakBytes: Double
        let restBytes: Double
    }

    /// In a row: a start after a clean stop, then ones after SIGKILL.
    struct Starts {
        var all: [Start] = []
        var middle: Double { median(all.map(\.seconds)) }
        var worst: Double { all.map(\.seconds).max() ?? .nan }
        var peakBytes: Double { all.map(\.peakBytes).max() ?? .nan }
        var restBytes: Double { all.map(\.restBytes).max() ?? .nan }
    }

    private static let answerSecondsMax = 60.0
    /// Index files are waited for as long as one more comes within this time.
    private static let indexSecondsMax = 20.0
    private static let pollMilliseconds = 5
    /// Under load before it is killed: long enough that records are in all states.
    private static let loadMilliseconds = 700
    private static let connections = 64

    let tools: Tools
    let workplace: Workplace

    func start(_ log: LongLog, asking number: UInt64) throws -> (Subject, Start) {
        let begun = Clock.monotonicNanoseconds()
        var memory: AnonymousMemory?
        defer { _ = memory?.stop() }
        let here = try Subject.receiver(tools, workplace, directory: log.path) { memory = AnonymousMemory(of: $0) }
        let path = "/v1/requests/" + String(decoding: VariedSample.requestID(number), as: UTF8.self)
        var seconds = 0.0
        repeat {
            let status = try Client(port: here.port).get(path).status
            seconds = Double(Clock.monotonicNanoseconds() - begun) / 1_000_000_000
            if status == 200 {
                let peak = memory?.stop() ?? .nan
                memory = nil
                return (here, Start(seconds: seconds, peakBytes: peak, restBytes: try here.memoryBytes(AnonymousMemory.key)))
            }
            // 503: that part of the log has no index yet.
            guard status == 503 else { break }
            Self.wait(milliseconds: Self.pollMilliseconds)
        } while seconds < Self.answerSecondsMax
        workplace.stop(here.process)
        throw BenchmarkFailure("the server does not know callback \(number) of \(log.records)")
    }

    /// A start that finds no index files and makes them: how long until all are there, nil where they do not come, and the
    /// most anonymous memory meanwhile.
    func makeIndexFiles(_ log: LongLog) throws -> (seconds: Double?, peakBytes: Double) {
        Progress.say("a start that makes index files")
        let begun = Clock.monotonicNanoseconds()
        var memory: AnonymousMemory?
        let here = try Subject.receiver(tools, workplace, directory: log.path) { memory = AnonymousMemory(of: $0) }
        defer { workplace.stop(here.process) }
        var latest = Clock.monotonicNanoseconds()
        var missing = try log.missingIndexFiles()
        while missing > 0, Double(Clock.monotonicNanoseconds() - latest) < Self.indexSecondsMax * 1_000_000_000 {
            Self.wait(milliseconds: Self.pollMilliseconds)
            let now = try log.missingIndexFiles()
            if now == missing { continue }
            missing = now
            latest = Clock.monotonicNanoseconds()
        }
        // What is superseded is found out afterwards; a start without it would be at that.
        let indexed = Clock.monotonicNanoseconds()
        while missing == 0, try !log.isSupersessionKnown(), Double(Clock.monotonicNanoseconds() - indexed) < Self.indexSecondsMax * 1_000_000_000 {
            Self.wait(milliseconds: Self.pollMilliseconds)
        }
        let peak = memory?.stop() ?? .nan
        return (missing == 0 ? Double(latest - begun) / 1_000_000_000 : nil, peak)
    }

    /// Begins new callbacks on many connections, and ends the server with SIGKILL while they are on their way.
    func killUnderLoad(_ here: Subject, series: UInt32) {
        let plan = LoadPlan(connections: Self.connections, depth: 1, pace: .closedLoop, seconds: 60, series: series)
        let port = here.port
        let done = DispatchSemaphore(value: 0)
        DispatchQueue(label: "load").async {
            // It ends when nobody answers any more.
            _ = try? LoadClient<HTTP1LoadPeer>(plan, port: port).run()
            done.signal()
        }
        Self.wait(milliseconds: Self.loadMilliseconds)
        workplace.kill(here.process)
        done.wait()
    }

    /// What a load of new callbacks on 64 connections came to.
    struct Load {
        /// Acknowledged ones.
        let perSecond: Double
        /// Of the server's processor time, for each.
        let microseconds: Double
        /// The most anonymous memory meanwhile.
        let peakBytes: Double
    }

    func durablePosts(_ here: Subject, seconds: Int, series: UInt32) throws -> Load {
        let processor = here.processorMicroseconds()
        let memory = AnonymousMemory(of: here.process.processIdentifier)
        let plan = LoadPlan(connections: Self.connections, depth: 1, pace: .closedLoop, seconds: seconds, series: series)
        let result = Result { try LoadClient<HTTP1LoadPeer>(plan, port: here.port).run() }
        let peak = memory.stop()
        let tally = try result.get()
        guard tally.failed + tally.refused + tally.unanswered == 0 else {
            throw BenchmarkFailure("of \(tally.answered) callbacks \(tally.failed + tally.refused) were not stored")
        }
        let used = here.processorMicroseconds() - processor
        return Load(perSecond: tally.goodput, microseconds: used / Double(max(1, tally.succeeded)), peakBytes: peak)
    }

    private static func wait(milliseconds: Int) {
        _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(milliseconds))
    }
}
