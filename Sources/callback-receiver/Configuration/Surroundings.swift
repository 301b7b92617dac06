// What the process finds around it: variables of the environment and the bytes of a configuration file.
//
// Promises: a file is read to a bound, never beyond; what goes wrong is a text with the remedy.
// Must not know: what the bytes or variables mean.

import Platform

enum Surroundings {
    static var environment: [String: String] { ProcessEnvironment.variables }

    static func exists(_ path: String) -> Bool { WholeFile.exists(path) }

    /// Up to `bytesMax` + 1 bytes of a file: one more than allowed tells that it is too large. Also of
    /// what is no regular file, such as a pipe.
    static func bytes(of path: String, bytesMax: Int) throws(Refusal) -> [UInt8] {
        do throws(SystemError) {
            return try WholeFile.read(path, bytesMax: bytesMax + 1)
        } catch {
            throw Refusal("cannot be read (\(error.reason)); check the path and its permissions")
        }
    }
}
