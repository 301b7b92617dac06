// GET /, the page, in a real browser: find, look, live, sign-in, a lost connection, markup.
//
// Promises: Debian's chromium is driven by browser.py, one case a test, each with servers of its own; what a case looked at is kept as
// pictures. Where browser or driver are missing, the tests are skipped and say so.
// Must not know: how the page is made.

import Foundation
import Testing
import TestSupport

@Suite("The page in a browser", .serialized)
struct PageTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    private static let build = folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: ".build")
    private static let python = build.appending(path: "python-venv/bin/python").path
    private static let pictures = build.appending(path: "page-screenshots").path
    private static let hasBrowser =
        FileManager.default.isExecutableFile(atPath: "/usr/bin/chromium") && FileManager.default.isExecutableFile(atPath: python)
        && (try? InstalledProgram.run(python, ["-c", "import playwright, axe_playwright_python"]))?.status == .exited(0)

    @Test(
        "does what a reader wants of it", .enabled(if: hasBrowser, "no chromium, or no .build/python-venv (Tests/run installs both)"),
        arguments: ["find", "await", "look", "live", "lost", "sign-in", "markup"])
    func browser(name: String) throws {
        let run = try InstalledProgram.run(
            Self.python, [Self.folder.appending(path: "browser.py").path, name, ServerProcess.executable, Self.pictures],
            // It leaves compiled modules where its modules are.
            environment: ["PYTHONDONTWRITEBYTECODE": "1"], withinSeconds: 240)
        #expect(run.status == .exited(0), "\(run.error.suffix(4000))")
        print("pictures of the page: \(Self.pictures)")
    }
}
