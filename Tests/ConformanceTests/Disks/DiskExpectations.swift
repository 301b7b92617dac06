// What the tests on real disks expect of every server, whatever befell its disk.
//
// Promises: each expectation is the contract's (API.md §3, §5), none names a particular fault.
// Must not know: how the disk was made to fail.

import Foundation
import Testing
import TestSupport

/// Not ready, in words that name no path of the machine (API §6), yet alive; and what was acknowledged is still answered.
func expectNotReady(
    _ server: ServerProcess, _ load: CallbackLoad, naming words: [String], sourceLocation: SourceLocation = #_sourceLocation
) throws {
    // Which check it is may show a moment after the first refusal.
    let ready = try? eventually("readyz to say why", withinSeconds: 4) { () -> Answer? in
        let answer = try server.get("/readyz")
        let detail = try? answer.object().string("detail")?.lowercased()
        return answer.status == 503 && words.contains { detail?.contains($0) == true } ? answer : nil
    }
    guard let ready else {
        let answer = try server.get("/readyz")
        Issue.record("readyz says none of \(words): \(answer.status) \(answer.text)", sourceLocation: sourceLocation)
        return
    }
    try expectProblem(ready, 503, instance: "/readyz", sourceLocation: sourceLocation)
    #expect(!ready.text.contains(server.directory.path), "\(ready.text)", sourceLocation: sourceLocation)
    #expect(try server.get("/healthz").status == 200, sourceLocation: sourceLocation)
    // On a line of its own, so that a failure shows which answers they were.
    let wrong = try load.wrongAnswers(of: server)
    #expect(wrong == [], "\(server.child.standardError.suffix(2_000))", sourceLocation: sourceLocation)
}

/// It took itself up again, without anybody's help: what was refused is taken now.
func expectRecovery(
    _ server: ServerProcess, _ load: inout CallbackLoad, more count: Int = 100, connections: Int = 8,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    try eventually("readyz says 200 again; it said: \(server.child.standardError.suffix(1_000))") { try server.get("/readyz").status == 200 }
    let (acknowledged, refusals) = (load.acknowledged.count, load.refusalCount)
    try load.run(on: server, connections: connections) { $0.acknowledged.count >= acknowledged + count }
    #expect(load.refusalCount == refusals, sourceLocation: sourceLocation)
}

/// Whatever was acknowledged is on the disk once, as it was sent, and nothing there is damage.
/// - Parameter mayEndTorn: whether a write that failed may have left its beginning behind the last record.
func expectKept(
    _ load: CallbackLoad, in directory: TemporaryDirectory, mayEndTorn: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let log = try LogReader(directory: directory.path)
    #expect(load.violations(in: log) == [], sourceLocation: sourceLocation)
    #expect(log.unsound.count <= (mayEndTorn ? 1 : 0), "\(log.unsound)", sourceLocation: sourceLocation)
}

/// A server started on what is left answers for everything acknowledged, calls nothing damage, and takes more.
func expectSoundRestart(
    _ load: inout CallbackLoad, in directory: TemporaryDirectory, configuration: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let server = try ServerProcess(directory: directory, configuration: configuration)
    #expect(try load.wrongAnswers(of: server) == [], sourceLocation: sourceLocation)
    try expectRecovery(server, &load, sourceLocation: sourceLocation)
    let ready = try server.get("/readyz")
    #expect(!ready.text.contains(".jsonl"), "\(ready.text)", sourceLocation: sourceLocation)
    #expect(try server.terminate() == .exited(0), "\(server.child.standardError)", sourceLocation: sourceLocation)
    try expectKept(load, in: directory, sourceLocation: sourceLocation)
}
