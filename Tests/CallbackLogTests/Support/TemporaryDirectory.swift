// A directory of the real file system for one test, removed with it.
//
// Promises: a name that nobody else has; nothing is left behind.
// Must not know: what is put into it.

import Foundation

final class TemporaryDirectory {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/callback-log-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? remove() }

    /// Takes everything below it away, and it.
    func remove() throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        try FileManager.default.removeItem(atPath: path)
    }
}
