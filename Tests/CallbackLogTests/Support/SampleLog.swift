// A log of a dozen records as the real writer makes it: several batches, two checkpoints, retried and repeated
// ids, escapes. Recovery tests truncate, flip and rearrange it.
// Must not know: what the tests do to it.

import Testing

@testable import CallbackLog

struct SampleLog {
    /// The one segment, as it stands after a clean stop.
    let bytes: [UInt8]
    /// By sequence.
    let identifiers: [UInt64: String]
    let payloads: [UInt64: String]

    /// `isClosed` false leaves out the last checkpoint: the newest batch stays unproven.
    init(isClosed: Bool = true) throws {
        let open = try OpenLog(MemoryDisk())
        var identifiers: [UInt64: String] = [:]
        var payloads: [UInt64: String] = [:]
        func batch(_ callbacks: [(String, String)]) throws {
            for (callback, outcome) in zip(callbacks, open.appendTogether(callbacks)) {
                guard case .stored(let sequence, false) = try #require(outcome) else { continue }
                identifiers[sequence] = callback.0
                payloads[sequence] = callback.1
            }
        }
        try batch([("a", "{\"n\":1}")])
        try batch([("b", "{}"), ("a", "{\"n\":2}"), ("c", "{\"q\":\"x\"}")])
        try batch([("d\"\\", "{\"durable\":9}")])
        open.clock.advance(milliseconds: 1_500)
        try batch([("e", "{\"crc32c\":\"00000000\"}"), ("b", "{}"), ("f", "{}")])
        try batch([("a", "{\"n\":3}"), ("g", "{}")])
        try batch([("h", "{}"), ("i", "{}"), ("j", "{\"n\":[1,2]}")])
        if isClosed { open.log.close() }
        bytes = try #require(open.disk[segmentName(1)])
        self.identifiers = identifiers
        self.payloads = payloads
    }

    /// The lines, each with its line feed.
    var lines: [[UInt8]] { bytes.split(separator: 0x0A).map { Array($0) + [0x0A] } }

    /// What `open` shows of the sample's records, by sequence; compared with what was stored.
    func served(by open: OpenLog) throws -> [UInt64] {
        var sequences: [UInt64] = []
        for identifier in Set(identifiers.values) {
            let seen = try open.records(identifier)
            #expect(seen == seen.sorted { $0.sequence > $1.sequence }, "newest first")
            for record in seen where identifiers[record.sequence] != nil {
                #expect(identifiers[record.sequence] == identifier)
                #expect(payloads[record.sequence] == record.payload)
                sequences.append(record.sequence)
            }
        }
        return sequences.sorted()
    }
}
