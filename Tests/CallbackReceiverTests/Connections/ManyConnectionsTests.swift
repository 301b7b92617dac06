// Ten thousand connections that rest and five hundred that post, at once.
//
// Promises: every callback is answered, no connection is lost. The server is a process of its own, since both ends
// of so many connections are more descriptors than one process may have. Must not know: what an idle one costs.

import Platform
import Testing
import TestSupport

@Suite("Many connections")
struct ManyConnectionsTests {
    private static let idle = 10_000
    private static let posting = 512
    /// Of this process, for all else that tests hold open meanwhile.
    private static let reserve = 2_000
    private static let isPossible = DescriptorLimit.raiseToHardLimit() >= idle + posting + reserve

    @Test(
        "10,000 idle connections and 512 that post: all are answered, none is lost",
        .enabled(if: isPossible, "the limit of open descriptors (ulimit -Hn) is below 12,512"))
    func many() throws {
        let server = try ServerProcess()
        let idle = try (0..<Self.idle).map { _ in try server.connect() }
        let posting = try (0..<Self.posting).map { _ in try server.connect() }
        for round in 0..<4 {
            for (number, connection) in posting.enumerated() { try connection.send(postBytes(callback("id-\(round)-\(number)"))) }
            for (number, connection) in posting.enumerated() {
                let answer = try connection.readAnswer()
                #expect(answer.status == 200 && answer.text.hasPrefix(#"{"request_id":"id-\#(round)-\#(number)","#))
            }
        }
        // Each is still there, and is served.
        for connection in idle { #expect(!connection.isReadable(milliseconds: 0)) }
        for connection in idle { try connection.send(requestBytes("GET", "/healthz")) }
        for connection in idle { #expect(try connection.readAnswer().status == 200) }
    }
}
