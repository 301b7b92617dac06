// Figures of the server at rest: what it keeps in memory, alone, with connections that do nothing, and with those that wait
// for callbacks or follow the events.
//
// Promises: a server on an empty log; each idle connection has had one answer and is kept alive. RssAnon is what the
// process itself holds: without code, libraries and the kernel's sockets. Must not know: loads.

import Foundation

enum IdleFigures {
    private static let connectionCounts = [1_000, 10_000]
    private static let bytesPerConnectionMax = 2_048.0
    private static let residentBytesMax = 15_000_000.0
    /// As many as are promised to cost no thread, and at most so much.
    private static let followers = [(count: 1_000, what: "event stream", path: "/v1/events"), (10_000, "wait for a callback", "/v1/requests/none?wait=50")]
    private static let bytesPerFollowerMax = 8_192.0
    /// Dispatch's, for the queue that they are asked on, however many they are.
    private static let threadsInAllMax = 4
    /// What has been asked is under way then.
    private static let settlingSeconds = 3.0

    static func measure(_ tools: Tools, in workplace: Workplace, descriptorsMax: Int, into table: inout Table) throws {
        Progress.say("starting the server on an empty log")
        let directory = workplace.path + "/idle"
        let here = try Subject.receiver(tools, workplace, directory: directory)
        defer {
            workplace.stop(here.process)
            try? FileManager.default.removeItem(atPath: directory)
        }
        var clients: [Client] = []
        try open(1, &clients, here)
        let resident = try here.memoryBytes("VmRSS")
        let alone = try here.memoryBytes("RssAnon")
        table.add(
            "resident memory when idle, MB (of it anonymous)",
            "\(text(resident / 1_000_000)) (\(text(alone / 1_000_000)))", target: "< 15",
            isReached: resident < residentBytesMax)
        for count in connectionCounts {
            let name = "memory of the process for each of \(text(Double(count))) idle connections, bytes"
            // Both ends are on this machine; the limit is of each process.
            guard count + 200 < descriptorsMax else {
                table.add(name, "not measured: \(descriptorsMax) descriptors (ulimit -n)")
                continue
            }
            try open(count + 1, &clients, here)
            let bytes = (try here.memoryBytes("RssAnon") - alone) / Double(count)
            table.add(name, text(bytes), target: "≤ 2,048", isReached: bytes <= bytesPerConnectionMax)
        }
        clients = []
        for follower in followers { try follow(follower, tools, in: workplace, descriptorsMax: descriptorsMax, into: &table) }
    }

    /// So many connections that are not answered yet, or never done being answered, to a server that has had none before.
    private static func follow(
        _ follower: (count: Int, what: String, path: String), _ tools: Tools, in workplace: Workplace, descriptorsMax: Int, into table: inout Table
    ) throws {
        let name = "memory of the process for each of \(text(Double(follower.count))) connections with one \(follower.what), bytes (threads more)"
        guard follower.count + 200 < descriptorsMax else {
            return table.add(name, "not measured: \(descriptorsMax) descriptors (ulimit -n)")
        }
        let directory = workplace.path + "/following"
        let here = try Subject.receiver(tools, workplace, directory: directory)
        defer {
            workplace.stop(here.process)
            try? FileManager.default.removeItem(atPath: directory)
        }
        var clients: [Client] = []
        try open(1, &clients, here)
        let before = (bytes: try here.memoryBytes("RssAnon"), threads: try here.threadCount())
        for _ in 0..<follower.count {
            let client = try Client(port: here.port)
            try client.ask(follower.path)
            clients.append(client)
        }
        Thread.sleep(forTimeInterval: settlingSeconds)
        let bytes = (try here.memoryBytes("RssAnon") - before.bytes) / Double(follower.count)
        let threads = try here.threadCount() - before.threads
        guard clients.allSatisfy(\.isOpen) else { throw BenchmarkFailure("\(follower.path): not all of \(follower.count) are kept") }
        table.add(name, "\(text(bytes)) (\(threads))", target: "≤ 8,192 (none each)", isReached: bytes <= bytesPerFollowerMax && threads <= threadsInAllMax)
    }

    /// Opens connections until there are `count`, each with one request answered.
    private static func open(_ count: Int, _ clients: inout [Client], _ here: Subject) throws {
        while clients.count < count {
            let client = try Client(port: here.port)
            guard try client.get("/healthz").status == 200 else { throw BenchmarkFailure("/healthz is not well") }
            clients.append(client)
        }
    }
}
