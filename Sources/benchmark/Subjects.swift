// Those that are measured against each other: the server of this package, nginx and nghttpd.
//
// Promises: each listens on a free port of 127.0.0.1, writes no access log and keeps connections for ever; nginx has two
// workers, answers every POST with 204 and every GET with one fixed body; nghttpd, of HTTP/2 alone, has two threads
// and answers with files. What they use is read from /proc.
// Must not know: the load.

import Foundation
import Glibc
import Platform

/// A running server and the processes that do its work.
struct Subject {
    let port: UInt16
    let process: Process
    let workers: [Int32]

    enum Wire {
        case http1, http2
    }

    /// The server of this package, on the log in `directory`; with `processors`, a list for taskset(1), on these alone.
    /// `begun` is called with its process id before it listens.
    static func receiver(
        _ tools: Tools, _ workplace: Workplace, directory: String, processors: String? = nil, begun: (Int32) -> Void = { _ in }
    ) throws -> Subject {
        let errors = workplace.path + "/receiver.log"
        let output = Pipe()
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--data-directory", directory]
        let process =
            if let processors {
                // It becomes the server, and keeps its process id.
                try workplace.start(
                    tools.taskset, ["-c", processors, tools.server] + arguments, output: output, errors: errors)
            } else {
                try workplace.start(tools.server, arguments, output: output, errors: errors)
            }
        begun(process.processIdentifier)
        // One line says that it listens, and where; at its end instead, why not.
        let said = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let digits = said.split(separator: "\n").first?.split(separator: ":").last, let port = UInt16(digits)
        else {
            workplace.stop(process)
            throw BenchmarkFailure("the server did not start: \(tail(of: errors))")
        }
        return Subject(port: port, process: process, workers: [process.processIdentifier])
    }

    /// nginx, with `getBody` for every GET.
    static func nginx(_ tools: Tools, _ workplace: Workplace, getBody: String, wire: Wire = .http1) throws -> Subject {
        let folder = workplace.path + "/nginx"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let port = try freePort()
        let configuration = folder + "/nginx.conf"
        try nginxConfiguration(folder: folder, port: port, getBody: getBody, wire: wire)
            .write(toFile: configuration, atomically: false, encoding: .utf8)
        let errors = folder + "/standard-error.log"
        let process = try workplace.start(
            tools.nginx, ["-p", folder, "-c", configuration, "-e", folder + "/error.log"], output: nil, errors: errors)
        do {
            try Patience.until("nginx listens") { (try? Client(port: port)) != nil || !process.isRunning }
            guard process.isRunning else { throw BenchmarkFailure("nginx did not start: \(tail(of: errors))") }
            var workers: [Int32] = []
            try Patience.until("nginx has two workers") {
                workers = children(of: process.processIdentifier)
                return workers.count == 2
            }
            return Subject(port: port, process: process, workers: workers)
        } catch {
            workplace.stop(process)
            throw error
        }
    }

    /// nghttpd, with a file of this content at each path.
    static func nghttpd(_ tools: Tools, _ workplace: Workplace, files: [String: String]) throws -> Subject {
        let folder = workplace.path + "/nghttpd"
        for (path, content) in files {
            let file = URL(filePath: folder + path)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try content.write(to: file, atomically: false, encoding: .utf8)
        }
        let port = try freePort()
        let errors = workplace.path + "/nghttpd.log"
        let process = try workplace.start(
            tools.nghttpd, ["--no-tls", "-a", "127.0.0.1", "-n", "2", "-d", folder, "\(port)"], output: nil, errors: errors)
        try Patience.until("nghttpd listens") { (try? Client(port: port)) != nil || !process.isRunning }
        guard process.isRunning else { throw BenchmarkFailure("nghttpd did not start: \(tail(of: errors))") }
        return Subject(port: port, process: process, workers: [process.processIdentifier])
    }

    private static func nginxConfiguration(folder: String, port: UInt16, getBody: String, wire: Wire) -> String {
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "  \($0)_temp_path \(folder)/\($0);" }.joined(separator: "\n")
        // Without `user` a master that runs as root gives its workers to nobody, who may not enter our folder.
        return """
            \(geteuid() == 0 ? "user root;" : "")
            daemon off;
            worker_processes 2;
            worker_rlimit_nofile 16384;
            pid \(folder)/nginx.pid;
            events { worker_connections 8192; }
            http {
              access_log off;
              keepalive_requests 1000000000;
              keepalive_timeout 3600;
              default_type application/json;
            \(temporary)
              server {
                listen 127.0.0.1:\(port)\(wire == .http2 ? " http2" : "") backlog=4096;
                location = /callback { return 204; }
                location / { add_header Cache-Control no-store; return 200 '\(getBody)'; }
              }
            }
            """
    }

    private static func freePort() throws -> UInt16 {
        guard let listener = try Listener.listen(on: SocketAddress(host: "127.0.0.1", port: 0)).first else {
            throw BenchmarkFailure("no free port on 127.0.0.1")
        }
        return listener.address.port
    }

    private static func children(of process: Int32) -> [Int32] {
        let list = try? String(contentsOfFile: "/proc/\(process)/task/\(process)/children", encoding: .utf8)
        return (list ?? "").split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
    }

    private static func tail(of path: String) -> String {
        String(((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").suffix(500))
    }

    // MARK: what it uses

    /// Processor time of the workers so far, user and system, in microseconds (proc(5), /proc/PID/stat).
    func processorMicroseconds() -> Double {
        let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
        var ticks = 0.0
        for worker in workers {
            let line = (try? String(contentsOfFile: "/proc/\(worker)/stat", encoding: .utf8)) ?? ""
            // The name in parentheses may hold anything; fields 14 and 15 are the 12th and 13th after it.
            let fields = line.split(separator: ")").last?.split(separator: " ") ?? []
            if fields.count > 12 { ticks += (Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0) }
        }
        return ticks / ticksPerSecond * 1_000_000
    }

    /// A line of /proc/PID/status that counts kB, in bytes.
    func memoryBytes(_ key: String) throws -> Double { try Self.memoryBytes(key, of: workers[0]) }

    /// Threads that it has.
    func threadCount() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/\(workers[0])/task").count }

    static func memoryBytes(_ key: String, of process: Int32) throws -> Double {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(key + ":") }),
            let number = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Double($0) })
        else { throw BenchmarkFailure("/proc has no \(key)") }
        return number * 1_024
    }
}
