// What it was measured on and with: the lines above the table, and the tools.
//
// Promises: reads /proc and the programs' own words; what cannot be read is said to be unknown.
// Must not know: the figures.

import Foundation
import Glibc
import Platform

/// The programs that the whole needs.
struct Tools {
    let server: String
    let nginx: String
    let wrk: String
    /// What is not there, and what to do; empty when all is.
    let missing: [String]

    init(server: String) {
        self.server = server
        let nginx = Self.find("nginx")
        let wrk = Self.find("wrk")
        self.nginx = nginx ?? ""
        self.wrk = wrk ?? ""
        var missing: [String] = []
        let absent = [nginx == nil ? "nginx" : nil, wrk == nil ? "wrk" : nil].compactMap { $0 }
        if !absent.isEmpty {
            missing.append("no \(absent.joined(separator: ", no ")); apt-get install nginx-light wrk")
        }
        if unsafe access(server, X_OK) != 0 {
            missing.append("no server at \(server); deploy/run --build-only")
        }
        self.missing = missing
    }

    /// In PATH, and where Debian keeps what is for the superuser.
    private static func find(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin"]
        return folders.map { "\($0)/\(name)" }.first { unsafe access($0, X_OK) == 0 }
    }
}

enum Machine {
    /// The folder of this program: where the build puts the server, too.
    static var folderOfThisProgram: String {
        URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
    }

    static func header(tools: Tools, directory: String, rounds: Int, seconds: Int) -> String {
        """
        # callback-receiver, measured \(Date.now.formatted(.iso8601))

        * machine: \(processor), \(Processors.count) cores, \(memory)
        * kernel: \(firstLine(of: "/proc/sys/kernel/ostype")) \(firstLine(of: "/proc/sys/kernel/osrelease"))
        * log on: \(fileSystem(of: directory))
        * peers: \(version(tools.nginx, prefix: "nginx version: ")); \(version(tools.wrk, prefix: "wrk "))
        * server: \(tools.server), built \(modified(tools.server))
        * medians of \(rounds) rounds; a load lasts \(seconds) s; wrk and the server share the cores

        """
    }

    private static func firstLine(of path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8))?.split(separator: "\n").first.map(String.init) ?? "unknown"
    }

    private static func value(_ key: String, in path: String) -> String? {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(key) }
        return line?.split(separator: ":", maxSplits: 1).last.map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private static var processor: String { value("model name", in: "/proc/cpuinfo") ?? "unknown processor" }
    private static var memory: String { "\(value("MemTotal", in: "/proc/meminfo") ?? "unknown") memory" }

    /// Type and device of the longest mount point above `path`.
    private static func fileSystem(of path: String) -> String {
        let mounts = (try? String(contentsOfFile: "/proc/mounts", encoding: .utf8)) ?? ""
        var best = (point: "", text: "unknown file system")
        for line in mounts.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count > 2, words[1].count >= best.point.count else { continue }
            if path == words[1] || path.hasPrefix(words[1] == "/" ? "/" : words[1] + "/") {
                best = (words[1], "\(words[2]) (\(words[0]) at \(words[1]))")
            }
        }
        return best.text
    }

    /// Both programs name their version on the first line for `-v`, on one stream or the other.
    private static func version(_ program: String, prefix: String) -> String {
        guard !program.isEmpty else { return "none" }
        let pipe = Pipe()
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = ["-v"]
        process.standardOutput = pipe
        process.standardError = pipe
        guard (try? process.run()) != nil else { return "none" }
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard let line = output.split(separator: "\n").first(where: { $0.hasPrefix(prefix) }) else { return "unknown" }
        let words = line.split(separator: " ")
        return prefix == "wrk " ? words.prefix(2).joined(separator: " ") : String(words.last ?? "unknown")
    }

    private static func modified(_ path: String) -> String {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.modificationDate] as? Date)?.formatted(.iso8601) ?? "never"
    }
}
