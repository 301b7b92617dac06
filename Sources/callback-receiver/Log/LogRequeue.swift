// `callback-receiver log requeue`: what was refused is taken in again, once the cause is mended.
//
// Promises: what is taken in is durable before it leaves the quarantine; what still is no callback stays where it is. With
// a server running on the directory it is that server which does it, asked through its API.
// Must not know: how the quarantine is kept (CallbackReceiver).

import ArgumentParser
import CallbackLog
import CallbackReceiver
import Logging
import Platform

struct LogRequeue: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "requeue", abstract: "Take in again what was refused, once the cause is mended.",
        discussion: """
            Refused callbacks (400, 413, 422) lie in quarantine/ in the log directory. Each is decoded anew: what is a callback \
            now is appended to the log and leaves the quarantine, the rest stays. Sound callbacks that a crash tore off the \
            end of the log (….torn) are taken in, too; their files stay, and what the log has already is a duplicate. With \
            --unauthorized also what came without its proof of origin (401): anybody may have sent that, so look at it \
            first (GET /v1/quarantine). A body that was cut is never taken in. What is taken in is a record of now: where a newer \
            callback of its request has come meanwhile, the one that is taken in is the newest from then on.

            With the server stopped it opens the log itself. While a server runs on the directory it asks that server, \
            through its API (client.url, and client.token-file with a token of scope write); torn files are then left for \
            the next stop.
            """)

    @OptionGroup var location: LogLocation

    @Flag(help: "Also what came without its proof of origin.")
    var unauthorized = false

    @Flag(help: "Only say what would be taken in, but for what is still to be cut off the log's end. With the server stopped only.")
    var dryRun = false

    func run() throws {
        let server = try location.server()
        // Opening a directory that has none would make one.
        if !Quarantine.exists(inLogAt: server.logDirectory) { _ = try location.open() }
        guard !dryRun else { return try say(try preview(server)) }
        let log: CallbackLog
        do throws(LogOpenFailure) {
            log = try CallbackLog.open(path: server.logDirectory, options: Server.logOptions(server))
        } catch {
            guard case .inUse = error else { throw CommandFailure.general("\(error)") }
            return try askServer()
        }
        defer { log.close() }
        LogNotices.say(log.report, to: Self.logger)
        let requeue = Requeue(log: log, quarantine: quarantine(server))
        let isShown = Terminal.isAtStandardError
        let refused = requeue.run(includesUnauthorized: unauthorized) { done, all in
            if isShown { StandardStream.error("\r\(done) of \(all)\(done == all ? "\n" : "")") }
        }
        try say(try readable(refused, server) + requeue.take(try torn(server)))
    }

    /// What would be taken in. The log is not opened, so that nothing of it is changed; nobody else may change it meanwhile.
    private func preview(_ server: ServerConfiguration) throws -> Requeue.Summary {
        let directory: SystemDirectory
        let isMine: Bool
        do throws(SystemError) {
            directory = try SystemDirectory(reading: server.logDirectory)
            isMine = try directory.lockExclusively()
        } catch {
            throw CommandFailure.unreadable(error)
        }
        guard isMine else { throw CommandFailure.general("a server runs on this directory; stop it for --dry-run, or look at GET /v1/quarantine") }
        // The lock is the directory's, and goes with it.
        return try withExtendedLifetime(directory) {
            let torn = Requeue.Summary(taken: try torn(server).count)
            guard Quarantine.exists(inLogAt: server.logDirectory) else { return torn }
            return try readable(Requeue.preview(of: quarantine(server), includesUnauthorized: unauthorized), server) + torn
        }
    }

    private static let logger = Logger(label: "requeue") { _ in LineHandler(threshold: LogThreshold(.warning), format: .logfmt, write: StandardStream.error) }

    /// Nothing goes for its size: this command keeps nothing new, and may be told another bound than the server.
    private func quarantine(_ server: ServerConfiguration) -> Quarantine {
        Quarantine(logDirectory: server.logDirectory, bytesMax: .max / 8, logger: Self.logger)
    }

    private func readable(_ summary: Requeue.Summary?, _ server: ServerConfiguration) throws -> Requeue.Summary {
        guard let summary else { throw CommandFailure.general("the quarantine in \(server.logDirectory) cannot be read; the line above says why") }
        return summary
    }

    private func torn(_ server: ServerConfiguration) throws -> [TornCallback] {
        do throws(SystemError) {
            return try TornCallback.all(inLogAt: server.logDirectory).callbacks
        } catch {
            throw CommandFailure.unreadable(error)
        }
    }

    /// The server answers when it is done with all of them, and after this at the latest.
    private static let serverMilliseconds = 3_600_000

    /// The server on the directory does it.
    private func askServer() throws {
        let client = try ClientOptions.client(file: location.file, .none)
        let answer: ClientAnswer
        do throws(ClientFailure) {
            answer = try client.post("/v1/quarantine/requeue\(unauthorized ? "?unauthorized=true" : "")", milliseconds: Self.serverMilliseconds)
        } catch {
            throw CommandFailure.unanswered(error, by: client.url)
        }
        guard answer.status == 200, let object = AnswerObject(answer.body) else { throw CommandFailure.refused(answer, by: client.url) }
        var summary = Requeue.Summary()
        summary.taken = object.text("taken").flatMap { Int($0) } ?? 0
        summary.duplicates = object.text("duplicates").flatMap { Int($0) } ?? 0
        summary.left = object.text("left").flatMap { Int($0) } ?? 0
        summary.failed = object.text("failed").flatMap { Int($0) } ?? 0
        try say(summary)
    }

    private func say(_ summary: Requeue.Summary) throws {
        StandardStream.output(
            "\(Counted.text(summary.taken, "callback")) \(dryRun ? "would be taken in" : "taken in"), \(summary.duplicates) there already, "
                + "\(summary.left) still no callback and left in the quarantine\n")
        guard summary.failed == 0 else {
            throw CommandFailure.general("\(Counted.text(summary.failed, "callback")) could not be taken in; look at the disk of the log, and run this again")
        }
    }
}
