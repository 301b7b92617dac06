// A client made from the document itself asks whatever the document allows, and much that it does not: schemathesis.
//
// Promises: no answer is undocumented, no body of another shape, nothing is 5xx; what the document forbids is refused. Bounded in
// time and examples, with a fixed seed, against a server on loopback.
// Must not know: the routes.

import Foundation
import Testing
import TestSupport

@Suite("A property-based client")
struct PropertyTests {
    @Test(
        "finds no undocumented answer and no server error",
        .enabled(if: OpenAPIProgram.schemathesis != nil, "no .build/python-venv (Tests/run makes it)"))
    func schemathesis() throws {
        let directory = try TemporaryDirectory()
        let token = try Token.create(in: directory, name: "client", scope: "write")
        let server = try ServerProcess(directory: directory)
        _ = try server.post(sentPayload("6ea55176-25c7-4ae1-9bd2-7e03dfbb4b8e"))
        _ = try server.put("6ea55176-25c7-4ae1-9bd2-7e03dfbb4b8e", #"{"reference":"order-1042"}"#, fields: [token.field])
        let place = try TemporaryDirectory()
        let run = try InstalledProgram.run(
            try #require(OpenAPIProgram.schemathesis),
            [
                "--config-file", OpenAPIProgram.path(of: "schemathesis.toml"), "run", "http://127.0.0.1:\(server.port)/openapi.json",
                "--auth", "\(token.identifier):\(token.key)", "--no-color", "--report", "json", "--report-json-path", place.path(of: "report.json"),
            ],
            // It leaves a cache where it is started.
            environment: ["HOME": place.path], workingDirectory: place.path, withinSeconds: 240)
        #expect(run.status == .exited(0), "\(run.output.suffix(6000)) \(run.error.suffix(1000))")
        // It did ask: each operation but the one that has no end, and the one that is for another token, of which it reports nothing.
        let report = try String(contentsOfFile: place.path(of: "report.json"), encoding: .utf8)
        for operation in DocumentedOperation.all where operation.path != "/v1/events" && operation.scope != "metrics" { #expect(report.contains(operation.path), "\(operation.path)") }
        #expect(try server.get("/healthz").status == 200)
    }
}
