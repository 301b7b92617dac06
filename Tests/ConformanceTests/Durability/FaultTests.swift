// API §3: what cannot be stored is 503 with Retry-After, never 2xx; the server recovers by itself.
//
// Promises: faults are injected between the server and its disk; whatever was acknowledged is looked for after a restart.
// Must not know: which calls the server makes. A fault at any one of them must do.

import Foundation
import Testing
import TestSupport

@Suite("A failing disk", .enabled(if: FaultInjector.isAvailable, "no C compiler to build the fault injector"))
struct FaultTests {
    /// Expects the 503 that tells a client to come again.
    private func expectUnavailable(_ answer: Answer, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try expectProblem(answer, 503, instance: "/callback", sourceLocation: sourceLocation)
        #expect(answer["Retry-After"].flatMap { Int($0) } ?? 0 > 0, "\(answer.fields)", sourceLocation: sourceLocation)
    }

    @Test(
        "a disk that fails is 503 and not ready, and intake goes on by itself once it works again",
        arguments: [(FaultInjector.Call.sync, EIO), (.sync, ENOSPC), (.write, EIO), (.write, ENOSPC)])
    func failing(call: FaultInjector.Call, errorNumber: Int32) throws {
        let faults = try FaultInjector()
        let server = try ServerProcess(faults: faults)
        #expect(try server.post(sentPayload("before")).status == 200)
        try faults.set(call, .fail(errorNumber))
        try expectUnavailable(try server.post(sentPayload("during")))
        try expectUnavailable(try server.post(sentPayload("during-2")))
        try expectProblem(try server.get("/readyz"), 503, instance: "/readyz")
        #expect(try server.get("/healthz").status == 200)
        #expect(try server.get("/v1/requests/before").status == 200)
        #expect(try server.get("/v1/requests/during").status == 404)
        // Known already, so there is nothing to store.
        #expect(try server.post(sentPayload("before")).object()["duplicate"] == "true")

        try faults.clear()
        try eventually("readiness after the fault") { try server.get("/readyz").status == 200 }
        let retried = try server.post(sentPayload("during"))
        #expect(retried.status == 200)
        #expect(try server.post(sentPayload("after")).status == 200)
        for identifier in ["before", "during", "after"] {
            #expect(try server.get("/v1/requests/\(identifier)").object().integer("callbacks") == 1)
        }
        #expect(try server.terminate() == .exited(0))

        let again = try ServerProcess(directory: server.directory)
        #expect(try again.get("/v1/requests/during").object().integer("sequence") == retried.object().integer("sequence"))
        try again.terminate()
        let log = try again.log()
        for identifier in ["before", "during", "after"] { #expect(log.records(of: identifier).count == 1) }
    }

    /// How a call goes wrong in the test below.
    enum Fault: String, CaseIterable {
        case failingSync, failingWrite, tornWrite, shortWrite, twoFailingSyncs, twoTornWrites

        func set(_ faults: FaultInjector, at number: Int) throws {
            switch self {
            case .failingSync: try faults.set(.sync, .fail(EIO), numbers: number...number)
            case .failingWrite: try faults.set(.write, .fail(EIO), numbers: number...number)
            case .tornWrite: try faults.set(.write, .tear(ENOSPC), numbers: number...number)
            case .shortWrite: try faults.set(.write, .short, numbers: number...number)
            case .twoFailingSyncs: try faults.set(.sync, .fail(EIO), numbers: number...number + 1)
            case .twoTornWrites: try faults.set(.write, .tear(ENOSPC), numbers: number...number + 1)
            }
        }
    }

    @Test("a fault at any one place loses nothing acknowledged", arguments: Fault.allCases, 1...8)
    func single(fault: Fault, number: Int) throws {
        let faults = try FaultInjector()
        try fault.set(faults, at: number)
        let directory = try TemporaryDirectory()
        var acknowledged: [String: Int] = [:]
        // A server may refuse to start on a disk that fails; it must say so and not crash.
        if let server = try startOrRefuse(directory, faults) {
            for index in 0..<8 {
                let answer = try server.post(sentPayload("r\(index)"))
                #expect(answer.status == 200 || (answer.status == 503 && fault != .shortWrite))
                if answer.status == 200 { acknowledged["r\(index)"] = try answer.object().integer("sequence") }
            }
            #expect(try server.terminate() == .exited(0), "\(server.child.standardError)")
        }
        #expect(acknowledged.count == 8 || fault != .shortWrite)
        let after = try ServerProcess(directory: directory)
        for (identifier, sequence) in acknowledged {
            let status = try after.get("/v1/requests/\(identifier)")
            #expect(status.status == 200, "\(identifier)")
            #expect(try status.object().integer("sequence") == sequence)
            #expect(try status.object().integer("callbacks") == 1)
        }
        #expect(try after.post(sentPayload("fresh")).status == 200)
        #expect(try after.get("/readyz").text.contains(".jsonl") == false, "no damage is reported of what the server wrote itself")
        try after.terminate()
        let log = try after.log()
        #expect(log.unsound == [])
        for (identifier, sequence) in acknowledged { #expect(log.records(of: identifier).map(\.sequence) == [sequence]) }
    }

    @Test("after a kill, what was never synced is not acknowledged as a duplicate before it is")
    func unproved() throws {
        let directory = try TemporaryDirectory()
        let faults = try FaultInjector()
        let server = try ServerProcess(directory: directory, faults: faults)
        #expect(try server.post(sentPayload("before")).status == 200)
        let connection = try server.connect()
        let syncs = faults.count(.sync)
        try faults.set(.sync, .hold)
        try connection.send(postBytes(sentPayload("unproved")))
        try faults.waitForCall(.sync, after: syncs)
        try server.child.kill9()

        // A disk that cannot sync now either: there is no way to prove it.
        try faults.set(.sync, .fail(EIO))
        if let blind = try startOrRefuse(directory, faults) {
            #expect(try blind.post(sentPayload("unproved")).status == 503)
            #expect(try blind.get("/v1/requests/unproved").status == 404)
            try blind.child.kill9()
        }
        try faults.clear()
        let after = try ServerProcess(directory: directory, faults: faults)
        #expect(try after.get("/v1/requests/before").status == 200)
        #expect(try after.post(sentPayload("unproved")).status == 200)
        #expect(try after.get("/v1/requests/unproved").object().integer("callbacks") == 1)
        try after.terminate()
        #expect(try after.log().records(of: "unproved").count == 1)
        #expect(try after.log().unsound == [])
    }

    private func startOrRefuse(_ directory: TemporaryDirectory, _ faults: FaultInjector) throws -> ServerProcess? {
        do {
            return try ServerProcess(directory: directory, faults: faults)
        } catch TestFailure.unreadable(let text) {
            #expect(text.contains("exited(1)"), "\(text)")
            return nil
        }
    }

    @Test("no sequence told is given again after a failure")
    func sequencesAfterFailure() throws {
        let faults = try FaultInjector()
        let server = try ServerProcess(faults: faults)
        var told: [Int] = []
        for round in 0..<3 {
            told.append(try #require(try server.post(sentPayload("ok-\(round)")).object().integer("sequence")))
            try faults.set(.sync, .fail(EIO))
            #expect(try server.post(sentPayload("lost-\(round)")).status == 503)
            try faults.clear()
            try eventually("readiness") { try server.get("/readyz").status == 200 }
        }
        #expect(Set(told).count == 3 && told == told.sorted())
        try server.terminate()
        let log = try server.log()
        for (round, sequence) in told.enumerated() {
            #expect(log.records(of: "ok-\(round)").map(\.sequence) == [sequence])
        }
        #expect(Set(log.records.compactMap(\.sequence)).count == log.records.count)
    }

    @Test("a log directory deleted underneath is 503, never 2xx")
    func deletedDirectory() throws {
        let server = try ServerProcess()
        #expect(try server.post(sentPayload("a")).status == 200)
        try FileManager.default.removeItem(atPath: server.directory.path)
        let answer = try server.post(sentPayload("b"))
        try expectUnavailable(answer)
        try eventually("readyz to notice") { try server.get("/readyz").status == 503 }
        #expect(!answer.text.contains(server.directory.path))
    }

    @Test("whatever is deleted from the directory, a 200 means that the record is in it")
    func deletedSegment() throws {
        let server = try ServerProcess()
        #expect(try server.post(sentPayload("a")).status == 200)
        for file in try server.log().files { try FileManager.default.removeItem(atPath: server.directory.path(of: file)) }
        if try server.post(sentPayload("b")).status == 200 {
            #expect(try server.log().records(of: "b").count == 1)
        }
        if try server.post(sentPayload("c")).status == 200 {
            #expect(try server.log().records(of: "c").count == 1)
        }
    }

    /// The largest bound a configuration may name: one tebibyte, in bytes.
    private static let freeBytesMinMax = 1 << 40

    private static var hasLessThanThatFree: Bool {
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: FileManager.default.temporaryDirectory.path)
        return (attributes?[.systemFreeSize] as? Int).map { $0 < freeBytesMinMax } ?? false
    }

    @Test("a disk with less free space than configured is 503 and not ready", .enabled(if: hasLessThanThatFree, "this disk has more than 1 TiB free"))
    func freeBytesMin() throws {
        let server = try ServerProcess(configuration: "log:\n  free-bytes-min: 1024 GiB\n")
        try eventually("readyz to notice") { try server.get("/readyz").status == 503 }
        try expectUnavailable(try server.post(sentPayload("a")))
        #expect(try server.get("/healthz").status == 200)
    }
}
