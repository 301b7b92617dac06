// What the log has to tell the operator, as log lines.
//
// Promises: real reports of a log that a crash tore and that was damaged. Must not know: how lines are written.

import CallbackLog
import Logging
import Synchronization
import Testing
import TestSupport

@testable import CallbackReceiver

@Suite("Notices of the log")
struct LogNoticesTests {
    /// Keeps the metadata of every line.
    private final class Kept: LogHandler, Sendable {
        let all = Mutex<[Logger.Metadata]>([])
        var logLevel: Logger.Level { get { .trace } set {} }
        var metadata: Logger.Metadata { get { [:] } set {} }
        subscript(metadataKey key: String) -> Logger.Metadata.Value? { get { nil } set {} }
        func log(event: LogEvent) { all.withLock { $0.append(event.metadata ?? [:]) } }
    }

    @Test("have numbers as numbers")
    func numbers() throws {
        let kept = Kept()
        let logger = Logger(label: "test") { _ in kept }
        let directory = try TemporaryDirectory()
        try CallbackLog.open(path: directory.path).close()
        // A tear, and damage before it.
        let segment = try #require(directory.entries.first { $0.hasSuffix(".jsonl") })
        try directory.write("nonsense\nnonsense\n{\"torn", to: segment)
        LogNotices.say(try CallbackLog.open(path: directory.path).report, to: logger)
        LogNotices.say(.retired(segments: 3), to: logger)
        let all = kept.all.withLock { $0 }
        #expect(all.count >= 3)
        for (name, value) in all.joined() where Double("\(value)") != nil {
            guard case .stringConvertible = value else {
                Issue.record("\(name)=\(value) is a text")
                continue
            }
        }
    }
}
