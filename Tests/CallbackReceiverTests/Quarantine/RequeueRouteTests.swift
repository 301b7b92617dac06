// Taking in again what was refused, asked of a running server: beside everything else, and to the end.
//
// Promises: a real server, quarantine and log, whose disk is held. Must not know: the command that asks.

import CallbackLog
import Platform
import TestSupport
import Testing

@testable import CallbackReceiver

@Suite("Requeue beside other questions")
struct RequeueRouteTests {
    /// Entries of the quarantine of a server that has not looked at it yet.
    private func quarantine(_ bodies: [String], at path: String) throws {
        let directory = try SystemDirectory(creating: path + "/" + QuarantineStore.directoryName)
        let at = Timestamp(milliseconds: 1_779_301_225_031)
        for (serial, body) in bodies.enumerated() {
            let bytes = QuarantineEntry.file(at: at, peer: .unspecified, status: 422, detail: "", body: Array(body.utf8))
            let file = try directory.create(QuarantineEntry.name(at: at, serial: serial, ring: .refused))
            #expect(try file.write(bytes, from: 0, at: 0) == bytes.count)
        }
    }

    @Test("while it waits for the disk, questions and pages are answered; its own answer says what became of all, however long that took")
    func beside() throws {
        let running = try RunningServer()
        let count = Requeue.togetherMax + 10
        try quarantine((0..<count).map { callback("r\($0)") } + ["{}"], at: running.path)
        running.disk.hold()
        let connection = try running.connect()
        try connection.send(requestBytes("POST", "/v1/quarantine/requeue"))
        try eventually("its callbacks wait for the disk", holds: { running.disk.isHolding })
        #expect(try running.get("/v1/requests").text == #"{"requests":[],"next":null}"#)
        #expect(try running.get("/v1/quarantine?limit=1").text.contains(#""body":"{}""#))
        try running.advance(seconds: 60)
        #expect(!connection.isReadable(milliseconds: 0))
        running.disk.release()
        #expect(try connection.readAnswer().text == #"{"taken":\#(count),"duplicates":0,"left":1,"failed":0}"#)
        #expect(try running.get("/v1/requests/r\(count - 1)").status == 200)
    }
}
