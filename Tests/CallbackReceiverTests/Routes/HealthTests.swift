// /healthz and /readyz, for each reason why the log may take nothing (API.md §5).
//
// Promises: the check that fails is named; no path of the machine is.

import CallbackLog
import Platform
import Testing
import TestSupport

@testable import CallbackReceiver

@Suite("Health")
struct HealthTests {
    @Test("ready: every check says so")
    func ready() throws {
        let answer = try RouterStep().get("/readyz")
        #expect(answer.status == 200)
        #expect(answer.contentType == "application/json")
        #expect(answer.fields["Cache-Control"] == "no-store")
        let expected = #"{"status":"ready","checks":{"log":"ok","disk":"ok","draining":"ok"},"damage_count":0,"damage":[]}"#
        #expect(answer.body == expected)
    }

    @Test("alive, whatever else is wrong")
    func alive() throws {
        let step = try RouterStep()
        step.disk.setGone(true)
        let answer = try step.answer(requestBytes("GET", "/healthz"), isDraining: true)
        #expect(answer.status == 200)
        #expect(answer.body == #"{"status":"alive"}"#)
    }

    private func expectNotReady(_ answer: RoutedAnswer, _ check: String, _ step: RouterStep) throws {
        #expect(answer.status == 503)
        #expect(answer.fields["Retry-After"] == "10")
        #expect(try answer.object().string("check") == check)
        #expect(try answer.object().string("detail")?.hasPrefix("\(check): ") == true)
        #expect(!answer.body.contains(step.disk.path), "no path of the machine")
        try expectProblem(answer, instance: "/readyz")
    }

    @Test("too little space: the disk")
    func space() throws {
        let step = try RouterStep()
        step.disk.setFreeBytes(0)
        try expectNotReady(try step.get("/readyz"), "disk", step)
        step.disk.setFreeBytes(nil)
        // The writer knows by now, and looks again once a second.
        try eventually("there is room again", holds: { try step.get("/readyz").status == 200 })
    }

    @Test("a directory that is gone: the log")
    func gone() throws {
        let step = try RouterStep()
        step.disk.setGone(true)
        try expectNotReady(try step.get("/readyz"), "log", step)
    }

    @Test("a disk that fails: the log, and the callback is refused with its own path")
    func failing() throws {
        let step = try RouterStep()
        step.disk.fail(with: 5)
        let refused = try step.post(callback("a"), to: "/callback/?key=secret")
        #expect(refused.status == 503)
        #expect(refused.fields["Retry-After"] == "10")
        try expectProblem(refused, instance: "/callback/")
        try expectNotReady(try step.get("/readyz"), "log", step)
        step.disk.fail(with: nil)
        try eventually("the log takes callbacks again", holds: { try step.get("/readyz").status == 200 })
        #expect(try step.post(callback("a")).status == 200)
    }

    @Test("draining")
    func draining() throws {
        let step = try RouterStep()
        try expectNotReady(try step.answer(requestBytes("GET", "/readyz"), isDraining: true), "draining", step)
    }

    @Test("each block has words of its own, without a path", arguments: [
        LogBlock.failed(SystemError(operation: "write", path: "/srv/private", code: 5)), .directoryGone(path: "/srv/private"),
        .space(freeBytes: 1, freeBytesMin: 2),
    ])
    func words(block: LogBlock) {
        let text = Health.publicText(block)
        #expect(!text.isEmpty && !text.contains("/srv"))
    }
}
