// The real program, started as a user starts it, on a port and in a directory of its own.
//
// Promises: it answers on `addresses` when `init` returns; it is stopped with its object; the data
// directory belongs to the test, so that a second process can be started on the same log.
// Must not know: anything about the server that is not on its standard output.

import Foundation

/// A running `callback-receiver serve`.
public final class ServerProcess: Sendable {
    /// One address the server said it listens on.
    public struct Address: Sendable, Equatable {
        public let host: String
        public let port: UInt16
    }

    public let child: ChildProcess
    /// In the order of the lines on standard output.
    public let addresses: [Address]
    /// Holds the log; shared with the test.
    public let directory: TemporaryDirectory
    private let configurationDirectory: TemporaryDirectory?
    private static let configurationName = "callback-receiver.yaml"

    /// The first address's port.
    public var port: UInt16 { addresses[0].port }

    /// The program under test: `$CALLBACK_RECEIVER_EXECUTABLE`, else `callback-receiver` beside the test bundle.
    public static var executable: String {
        if let path = ProcessInfo.processInfo.environment["CALLBACK_RECEIVER_EXECUTABLE"] { return path }
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("callback-receiver").path
    }

    /// Starts the server and waits until it says that it listens.
    /// - Parameters:
    ///   - directory: the log's; a fresh one when nil.
    ///   - listen: the value of `--listen`; nil leaves it to the configuration.
    ///   - configuration: YAML for `--config`.
    ///   - addressCount: how many listening lines to wait for.
    ///   - descriptorsMax: its RLIMIT_NOFILE; nil leaves it as this process has it.
    ///   - sockets: handed over, with their names, as systemd does it.
    /// - Throws: `TestFailure` when it exits or says nothing in time; the text carries its standard error.
    public init(
        directory: TemporaryDirectory? = nil, listen: String? = "127.0.0.1:0", configuration: String? = nil,
        arguments: [String] = [], environment: [String: String] = [:], faults: FaultInjector? = nil,
        addressCount: Int = 1, descriptorsMax: Int? = nil, sockets: [(name: String, descriptor: Int32)] = []
    ) throws {
        let log = try directory ?? TemporaryDirectory()
        self.directory = log
        var all = ["serve", "--data-directory", log.path]
        if let listen { all += ["--listen", listen] }
        if let configuration {
            let holder = try TemporaryDirectory()
            all += ["--config", try holder.write(configuration, to: Self.configurationName)]
            configurationDirectory = holder
        } else {
            configurationDirectory = nil
        }
        let faultEnvironment = faults?.environment(watching: log.path) ?? [:]
        // prlimit(1) sets the limit and becomes the server.
        let limit = descriptorsMax.map { ["/usr/bin/prlimit", "--nofile=\($0):\($0)"] } ?? []
        let command = limit + [Self.executable] + all + arguments
        let child = try ChildProcess(
            executable: command[0], arguments: Array(command.dropFirst()),
            environment: environment.merging(faultEnvironment) { $1 }, sockets: sockets)
        self.child = child
        addresses = try eventually("listening lines; standard error: \(child.standardError)", withinSeconds: 30) {
            let found = Self.addresses(in: child.standardOutput)
            if found.count >= addressCount { return found }
            if let status = child.exitStatus {
                throw TestFailure.unreadable("the server ended with \(status): \(child.standardError)")
            }
            return nil
        }
    }

    /// Writes another configuration in the place of the one that it was started with; SIGHUP makes it known.
    public func reconfigure(_ configuration: String) throws {
        guard let configurationDirectory else { throw TestFailure.unreadable("the server was started without a configuration file") }
        try configurationDirectory.write(configuration, to: Self.configurationName)
        child.send(signal: SIGHUP)
    }

    /// The addresses named by whole `listening on http://HOST:PORT` lines.
    public static func addresses(in output: String) -> [Address] {
        output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().compactMap { line in
            let prefix = "listening on http://"
            guard line.hasPrefix(prefix), let colon = line.lastIndex(of: ":"),
                let port = UInt16(line[line.index(after: colon)...])
            else { return nil }
            return Address(host: String(line[line.index(line.startIndex, offsetBy: prefix.count)..<colon]), port: port)
        }
    }

    /// Opens a connection to the first address.
    public func connect(timeoutSeconds: Double = 15) throws -> RawConnection {
        try RawConnection(host: addresses[0].host, port: port, timeoutSeconds: timeoutSeconds)
    }

    /// One exchange on a connection of its own.
    public func exchange(_ bytes: [UInt8], toHEAD: Bool = false) throws -> Answer {
        let connection = try connect()
        try connection.send(bytes, toleratingClose: true)
        return try connection.readAnswer(toHEAD: toHEAD)
    }

    /// GET on a connection of its own, with a loopback `Host`.
    public func get(_ target: String) throws -> Answer { try exchange(requestBytes("GET", target)) }

    /// POST of a body to the callback path, on a connection of its own.
    public func post(_ json: String, to target: String = "/callback") throws -> Answer {
        try exchange(postBytes(json, to: target))
    }

    /// The status of one request, its id percent-encoded.
    public func status(of requestIdentifier: String) throws -> Answer {
        try get("/v1/requests/" + percentEncoded(requestIdentifier))
    }

    /// What the log holds now.
    public func log() throws -> LogReader { try LogReader(directory: directory.path) }

    /// Stops it with SIGTERM and waits for its end.
    @discardableResult
    public func terminate() throws -> ExitStatus {
        child.send(signal: SIGTERM)
        return try child.waitForExit()
    }
}

/// Runs the program to its end.
/// - Returns: exit status, standard output, standard error.
public func runToExit(
    _ arguments: [String], environment: [String: String] = [:], workingDirectory: String? = nil
) throws -> (status: ExitStatus, output: String, error: String) {
    let child = try ChildProcess(
        executable: ServerProcess.executable, arguments: arguments, environment: environment,
        workingDirectory: workingDirectory)
    let status = try child.waitForExit()
    return (status, child.standardOutput, child.standardError)
}
