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
    private static let followers = [
        Follower(count: 1_000, what: "event stream", path: "/v1/events", metric: "callback_receiver_event_streams"),
        Follower(count: 10_000, what: "wait for a callback", path: "/v1/requests/none?wait=50", metric: "callback_receiver_waits"),
    ]
    private static let bytesPerFollowerMax = 8_192.0
    /// So long the server may take to have what it was asked under way.
    private static let settlingSecondsMax = 20.0

    private struct Follower {
        let count: Int
        let what: String
        let path: String
        /// How many the server says there are.
        let metric: String
    }

    static func measure(_ tools: Tools, in workplace: Workplace, descriptorsMax: Int, into table: inout Table) throws {
        Progress.say("starting the server on an empty log")
        try withServer(tools, in: workplace) { here in try rest(here, descriptorsMax: descriptorsMax, into: &table) }
        for follower in followers { try follow(follower, tools, in: workplace, descriptorsMax: descriptorsMax, into: &table) }
    }

    private static func withServer(_ tools: Tools, in workplace: Workplace, _ body: (Subject) throws -> Void) throws {
        let directory = workplace.path + "/idle"
        let here = try Subject.receiver(tools, workplace, directory: directory)
        defer {
            workplace.stop(here.process)
            try? FileManager.default.removeItem(atPath: directory)
        }
        try body(here)
    }

    private static func rest(_ here: Subject, descriptorsMax: Int, into table: inout Table) throws {
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
    }

    /// So many connections that are not answered yet, or never done being answered, to a server that has had none before. The
    /// first of them counts for nothing: what all share, such as the thread of the queue that they are asked on, is there then.
    private static func follow(
        _ follower: Follower, _ tools: Tools, in workplace: Workplace, descriptorsMax: Int, into table: inout Table
    ) throws {
        let name = "memory of the process for each of \(text(Double(follower.count))) connections with one \(follower.what), bytes (threads more)"
        guard follower.count + 200 < descriptorsMax else {
            return table.add(name, "not measured: \(descriptorsMax) descriptors (ulimit -n)")
        }
        try withServer(tools, in: workplace) { here in
            var clients: [Client] = []
            try open(1, &clients, here)
            let asking = clients[0]
            func follow(until count: Int) throws {
                while clients.count <= count {
                    let client = try Client(port: here.port)
                    try client.ask(follower.path)
                    clients.append(client)
                }
                try wait(for: count, follower, asking)
            }
            try follow(until: 1)
            let before = (bytes: try here.memoryBytes("RssAnon"), threads: try here.threadCount())
            try follow(until: follower.count)
            let bytes = (try here.memoryBytes("RssAnon") - before.bytes) / Double(follower.count - 1)
            let threads = try here.threadCount() - before.threads
            table.add(name, "\(text(bytes)) (\(threads))", target: "≤ 8,192 (0)", isReached: bytes <= bytesPerFollowerMax && threads <= 0)
        }
    }

    /// Until the server says that so many are under way.
    private static func wait(for count: Int, _ follower: Follower, _ asking: Client) throws {
        let end = ProcessInfo.processInfo.systemUptime + settlingSecondsMax
        repeat {
            let metrics = try asking.get("/metrics").body
            if metrics.split(separator: "\n").contains("\(follower.metric) \(count)") { return }
        } while ProcessInfo.processInfo.systemUptime < end
        throw BenchmarkFailure("\(follower.path): not all of \(count) are under way after \(Int(settlingSecondsMax)) s")
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
