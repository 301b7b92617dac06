// API §2: `status`, against a real server.
//
// Promises: the exit status and what is printed are those of the API's own answer.
// Must not know: how the answer is made.

import Foundation
import Testing
import TestSupport

@Suite("The command status")
struct StatusCommandTests {
    private func status(_ arguments: [String], of server: ServerProcess, environment: [String: String] = [:]) throws -> (
        status: TestSupport.ExitStatus, output: String, error: String
    ) {
        try runToExit(["status"] + arguments, environment: ["CALLBACK_RECEIVER_CLIENT_URL": "http://127.0.0.1:\(server.port)"].merging(environment) { $1 })
    }

    @Test(
        "the exit status says what became of a request, and --json prints the API's answer",
        arguments: [
            (#"{"request_id":"$ID","whatsapp_message_id":"wamid.1"}"#, 0, "sent"),
            (#"{"request_id":"$ID","message":"(#132001) Template name does not exist in the translation"}"#, 2, "failed"),
            (#"{"request_id":"$ID"}"#, 5, "unrecognized"),
        ] as [(String, Int32, String)])
    func statuses(template: String, exit: Int32, name: String) throws {
        let server = try Shared.server()
        let identifier = try #require(try delivered(template).string("request_id"))
        let plain = try status([identifier], of: server)
        #expect(plain.status == .exited(exit) && plain.error == "")
        #expect(plain.output.hasPrefix("\(identifier): \(name)\n"))
        let json = try status([identifier, "--json"], of: server)
        #expect(json.status == .exited(exit))
        #expect(json.output == String(decoding: try server.status(of: identifier).body, as: UTF8.self) + "\n")
    }

    @Test("an identifier of any visible characters is asked for as it is", arguments: ["a/b", "%41", "?x=y#z", "..", "a;b&c=d", "~!@$'()*+,[]{}|\\^`\"<>"])
    func anyIdentifier(suffix: String) throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier() + suffix
        let escaped = identifier.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        #expect(try status(["--", identifier], of: server).status == .exited(4))
        #expect(try server.post(sentPayload(escaped)).status == 200)
        let run = try status(["--", identifier], of: server)
        #expect(run.status == .exited(0) && run.output.hasPrefix("\(identifier): sent\n"), "\(run.output)\(run.error)")
    }

    @Test("an id that nothing is known of is 4, a server that is not there 1, each one line on standard error")
    func noAnswer() throws {
        let server = try Shared.server()
        let unknown = try status([Shared.freshIdentifier("nobody")], of: server)
        #expect(unknown.status == .exited(4) && unknown.output == "")
        expectOneLine(unknown.error)
        let absent = try status(["x"], of: server, environment: ["CALLBACK_RECEIVER_CLIENT_URL": "http://127.0.0.1:\(try freePort())"])
        #expect(absent.status == .exited(1) && absent.output == "")
        expectOneLine(absent.error)
    }

    @Test("without client.url it asks where the API of the same configuration listens")
    func sameConfiguration() throws {
        let directory = try TemporaryDirectory()
        let port = try freePort()
        let file = try directory.write("api: {listen: '127.0.0.1:\(port)'}\ncallback: {listen: '127.0.0.1:0'}\n", to: "c.yaml")
        let server = try ServerProcess(listen: nil, arguments: ["--config", file], addressCount: 2)
        let run = try runToExit(["status", "x", "--config", file])
        #expect(run.status == .exited(4), "\(run.error)")
        try server.terminate()
    }

    @Test("https is refused with what to do; a wrong configuration is 78")
    func https() throws {
        let run = try runToExit(["status", "x"], environment: ["CALLBACK_RECEIVER_CLIENT_URL": "https://127.0.0.1:1"])
        #expect(run.status == .exited(78) && run.error.contains("https is not spoken here"))
        expectOneLine(run.error)
    }
}
