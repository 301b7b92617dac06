// Figures of the server at rest: what it keeps in memory, alone and with connections that do nothing.
//
// Promises: a server on an empty log; each connection has had one answer and is kept alive. RssAnon is what the
// process itself holds: without code, libraries and the kernel's sockets. Must not know: loads.

import Foundation

enum IdleFigures {
    private static let connectionCounts = [1_000, 10_000]
    private static let bytesPerConnectionMax = 2_048.0
    private static let residentBytesMax = 15_000_000.0

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
