// Whom the files of a log belong to where root makes them in a directory that is another's.
//
// Promises: real processes, with and without the right to give files away (capabilities(7), CAP_CHOWN).
// Must not know: which files there are.

import Foundation
import Glibc
import Testing
import TestSupport

@Suite("A directory of another's", .enabled(if: getuid() == 0 && InstalledProgram.path(of: "setpriv") != nil, "needs root, and setpriv(1) of util-linux"))
struct OwnerTests {
    @Test("what root makes there is the owner's; where root may not give it away, callbacks are stored all the same", arguments: [true, false])
    func owner(mayGive: Bool) throws {
        let directory = try TemporaryDirectory()
        #expect(unsafe chown(directory.path, 65_534, 65_533) == 0)
        let child = try ChildProcess(
            executable: try #require(InstalledProgram.path(of: "setpriv")),
            arguments: ["--bounding-set", mayGive ? "+all" : "-chown", "--", ServerProcess.executable, "serve", "--listen", "127.0.0.1:0", "--data-directory", directory.path])
        let address = try eventually("a listening line; it said \(child.standardError)") { ServerProcess.addresses(in: child.standardOutput).first }
        let connection = try RawConnection(port: address.port)
        // The second is refused, and kept.
        for (json, status) in [(sentPayload("a"), 200), ("{}", 422)] {
            try connection.send(postBytes(json))
            #expect(try connection.readAnswer().status == status)
        }
        child.send(signal: SIGTERM)
        #expect(try child.waitForExit() == .exited(0))
        #expect(directory.entries.contains("quarantine"))
        for name in directory.entries {
            let owner = try FileManager.default.attributesOfItem(atPath: directory.path(of: name))[.ownerAccountID] as? Int
            #expect(owner == (mayGive ? 65_534 : 0), "\(name)")
        }
    }
}
