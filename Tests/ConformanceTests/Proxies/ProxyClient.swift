// curl as a client of a proxy: over HTTPS, by the examples' host name, with the test's certificate.
//
// Promises: the certificate is checked; a path goes out as it is given; each run's body and status are apart.
// Must not know: which proxy it is, or what stands behind it.

import Foundation
import TestSupport

/// Which HTTP curl speaks to the proxy.
enum SpokenVersion: String, CaseIterable {
    case http1 = "--http1.1"
    case http2 = "--http2"

    /// As curl's `%{http_version}` has it.
    var number: String { self == .http1 ? "1.1" : "2" }
}

/// What came back.
struct ProxyAnswer {
    /// 0 where there was no answer.
    let status: Int
    let version: String
    let body: String
}

extension Proxy {
    /// What every run of curl says. A body, if any, comes before the line with status and version.
    private func arguments(_ version: SpokenVersion, _ target: String, _ more: [String]) -> [String] {
        [
            "--silent", version.rawValue, "--max-time", "30", "--path-as-is", "--globoff",
            "--cacert", directory.path(of: "certificate.pem"), "--resolve", "\(Self.host):\(port):127.0.0.1",
            "--write-out", "\n%{http_code} %{http_version}\n",
        ] + more + ["https://\(Self.host):\(port)\(target)"]
    }

    /// Starts curl.
    func start(_ version: SpokenVersion, _ target: String, _ more: [String] = []) throws -> ChildProcess {
        try ChildProcess(executable: InstalledProgram.path(of: "curl") ?? "curl", arguments: arguments(version, target, more))
    }

    /// What curl printed to its end.
    static func answer(_ curl: ChildProcess) throws -> ProxyAnswer {
        try curl.waitForExit(withinSeconds: 60)
        var lines = curl.standardOutput.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        let last = (lines.popLast() ?? "0 0").split(separator: " ")
        return ProxyAnswer(status: Int(last[0]) ?? 0, version: String(last[1]), body: lines.joined(separator: "\n"))
    }

    /// One request.
    func request(_ version: SpokenVersion, _ target: String, _ more: [String] = []) throws -> ProxyAnswer {
        try Self.answer(start(version, target, more))
    }

    /// One callback.
    func post(_ version: SpokenVersion, _ json: String, to target: String = "/callback?key=secret") throws -> ProxyAnswer {
        try request(version, target, ["--data-binary", json])
    }

    /// Many callbacks by one run of curl, one after another on one connection or many at a time.
    /// - Returns: the statuses.
    func postMany(_ version: SpokenVersion, _ payloads: [String], atATime: Int) throws -> [String] {
        let url = "https://\(Self.host):\(port)/callback?key=secret"
        // curl's own configuration file: one block for each transfer.
        let blocks = payloads.map { payload in
            """
            \(version.rawValue)
            max-time = 30
            cacert = "\(directory.path(of: "certificate.pem"))"
            resolve = "\(Self.host):\(port):127.0.0.1"
            data-binary = "\(payload.replacing("\"", with: "\\\""))"
            output = "/dev/null"
            write-out = "%{http_code}\\n"
            url = "\(url)"
            """
        }
        let place = try TemporaryDirectory()
        let file = try place.write(blocks.joined(separator: "\nnext\n"), to: "curl.conf")
        let parallel = atATime > 1 ? ["--parallel", "--parallel-max", "\(atATime)"] : []
        let run = try InstalledProgram.run(
            InstalledProgram.path(of: "curl") ?? "curl", ["--silent"] + parallel + ["--config", file], withinSeconds: 120)
        return run.output.split(separator: "\n").map(String.init)
    }
}
