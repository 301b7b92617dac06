// The programs from PyPI that the document's tests need, where Tests/run has installed them.
//
// Promises: what is not installed is nil, for `.enabled(if:)`; scripts are those beside this file.
// Must not know: what is in the document.

import Foundation
import TestSupport

enum OpenAPIProgram {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    private static let programs = folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: ".build/python-venv/bin")

    private static func installed(_ name: String) -> String? {
        let path = programs.appending(path: name).path
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }

    /// Python with jsonschema.
    static let python = installed("python")
    /// The property-based client.
    static let schemathesis = installed("schemathesis")

    static func path(of script: String) -> String { folder.appending(path: script).path }

    /// Runs validate.py on a document and what was answered.
    static func validate(_ document: String, _ exchanges: [DocumentedExchange]) throws -> RawJSON {
        let place = try TemporaryDirectory()
        let files = [try place.write(document, to: "document"), try place.write(exchanges.map { $0.line + "\n" }.joined(), to: "exchanges")]
        guard let python else { throw TestFailure.unreadable("no python") }
        let run = try InstalledProgram.run(python, [path(of: "validate.py")] + files, withinSeconds: 120)
        guard run.status == .exited(0) else { throw TestFailure.unreadable("validate.py: \(run.error.suffix(2000))") }
        return try RawJSON(object: run.output)
    }
}

/// An answer, and which operation of the document it is of.
struct DocumentedExchange: Sendable {
    let method: String
    /// As the document has it.
    let path: String
    let answer: Answer

    /// For validate.py.
    var line: String {
        let fields = Dictionary(answer.fields.map { ($0.name.lowercased(), $0.value) }) { $1 }
        let object: [String: Any] = ["method": method, "path": path, "status": answer.status, "fields": fields, "body": answer.text]
        let data = try? JSONSerialization.data(withJSONObject: object)
        return String(decoding: data ?? Data(), as: UTF8.self)
    }
}
