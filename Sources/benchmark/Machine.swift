// What it was measured on and with: the lines above the table, and the tools.
//
// Promises: reads /proc and the programs' own words; what cannot be read is said to be unknown.
// Must not know: the figures.

import Foundation
import Glibc
import Platform

/// The programs that the figures of a running server need; a path is empty where there is none.
struct Tools {
    let server: String
    let nginx = Self.find("nginx") ?? ""
    let wrk = Self.find("wrk") ?? ""
    let h2load = Self.find("h2load") ?? ""
    let nghttpd = Self.find("nghttpd") ?? ""
    let taskset = Self.find("taskset") ?? ""

    init(server: String) { self.server = server }

    /// Of what `part` needs, what is not there, and what to do; empty when all is.
    func missing(for part: Benchmark.Part) -> [String] {
        let needed: [(path: String, name: String, package: String)] =
            switch part {
            case .micro, .log, .hostile: []
            case .whole: [(nginx, "nginx", "nginx-light"), (wrk, "wrk", "wrk")]
            case .http2:
                [
                    (nginx, "nginx", "nginx-light"), (h2load, "h2load", "nghttp2-client"),
                    (nghttpd, "nghttpd", "nghttp2-server"),
                ]
            case .overload: [(taskset, "taskset", "util-linux")]
            }
        let absent = needed.filter { $0.path.isEmpty }
        var missing: [String] = []
        if !absent.isEmpty {
            let names = absent.map(\.name).joined(separator: ", no ")
            missing.append("no \(names); apt-get install \(absent.map(\.package).joined(separator: " "))")
        }
        if part != .micro, unsafe access(server, X_OK) != 0 {
            missing.append("no server at \(server); deploy/run --build-only")
        }
        return missing
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
        * peers: \(version(tools.nginx, prefix: "nginx version: ")); \(version(tools.wrk, prefix: "wrk ")); \
        \(version(tools.h2load, prefix: "h2load "))
        * server: \(tools.server), built \(modified(tools.server))
        * medians of \(rounds) rounds; a load lasts \(seconds) s; the loads and the server share the cores

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

    /// Each names its version on a line for `-v` (h2load for `--version`), on one stream or the other.
    private static func version(_ program: String, prefix: String) -> String {
        guard !program.isEmpty else { return "none" }
        let pipe = Pipe()
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = [prefix == "h2load " ? "--version" : "-v"]
        process.standardOutput = pipe
        process.standardError = pipe
        guard (try? process.run()) != nil else { return "none" }
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard let line = output.split(separator: "\n").first(where: { $0.hasPrefix(prefix) }) else { return "unknown" }
        let words = line.split(separator: " ")
        return prefix.hasPrefix("nginx") ? String(words.last ?? "unknown") : words.prefix(2).joined(separator: " ")
    }

    private static func modified(_ path: String) -> String {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.modificationDate] as? Date)?.formatted(.iso8601) ?? "never"
    }
}
