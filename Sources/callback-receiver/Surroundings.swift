// What the process finds around it: variables of the environment and the bytes of a configuration file.
//
// Promises: a file is read to a bound, never beyond; what goes wrong is a text with the remedy. The only file
// of the command that knows Foundation, which Yams brings along.
// Must not know: what the bytes or variables mean.

import Foundation

enum Surroundings {
    static var environment: [String: String] { ProcessInfo.processInfo.environment }

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    /// Up to `bytesMax` + 1 bytes of a file: one more than allowed tells that it is too large. Also of
    /// what is no regular file, such as a pipe.
    static func bytes(of path: String, bytesMax: Int) throws(Refusal) -> [UInt8] {
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            var bytes: [UInt8] = []
            while bytes.count <= bytesMax,
                let more = try file.read(upToCount: bytesMax + 1 - bytes.count), !more.isEmpty
            {
                bytes += more
            }
            return bytes
        } catch {
            throw Refusal("cannot be read (\(reason(error))); check the path and its permissions")
        }
    }

    /// The system's own words where there are any.
    private static func reason(_ error: any Error) -> String {
        let error = error as NSError
        let underlying = error.userInfo[NSUnderlyingErrorKey] as? NSError ?? error
        if underlying.domain == NSPOSIXErrorDomain, let code = POSIXErrorCode(rawValue: Int32(underlying.code)) {
            return unsafe String(cString: strerror(code.rawValue))
        }
        return error.code == CocoaError.fileReadNoSuchFile.rawValue ? "No such file or directory" : "input error"
    }
}
