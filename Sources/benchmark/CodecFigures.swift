// Figures of what is done to bytes: decode, encode, checksum, parse.
//
// Promises: everything goes through the same calls that the server makes. Peers read the same bytes: Foundation for
// JSON, a plain table for CRC-32C. Must not know: files, sockets.

import Platform

enum CodecFigures {
    private static let decodeNanosecondsMax = 1_000.0
    private static let checksumBytes = 65_536

    static func measure(_ measuring: Measuring, in workplace: Workplace, into table: inout Table) throws {
        Progress.say("decoding, encoding, parsing")
        var nanoseconds: [CodecOperation: Double] = [:]
        try CodecOperation.each { nanoseconds[$0] = try measuring.nanoseconds($1) }
        let counts = try AllocationCount.count(startingWith: "--count-allocations", in: workplace)

        func time(_ figure: String, _ operation: CodecOperation, peer: (name: String, CodecOperation)? = nil) {
            let here = nanoseconds[operation] ?? .nan
            let peerTime = peer.flatMap { nanoseconds[$0.1] }
            let hasTarget = peer != nil
            table.add(
                "\(figure), ns", text(here), peer: peerTime.map { "\(peer?.name ?? "") \(text($0))" } ?? "",
                ratio: peerTime.map { here / $0 }, target: hasTarget ? "≤ \(text(decodeNanosecondsMax))" : "",
                isReached: hasTarget ? here <= decodeNanosecondsMax : nil)
        }
        func allocations(
            _ operation: CodecOperation, most: Double? = nil, peer: (name: String, CodecOperation)? = nil
        ) {
            let here = counts[operation.rawValue]
            let peerCount = peer.flatMap { counts[$0.1.rawValue] }
            table.add(
                "… allocations", here.map(text) ?? "not counted",
                peer: peerCount.map { "\(peer?.name ?? "") \(text($0))" } ?? "",
                target: most.map { "≤ \(text($0))" } ?? "", isReached: most.map { (here ?? .infinity) <= $0 })
        }

        let decoder = (name: "JSONDecoder", CodecOperation.jsonDecoder)
        let serialization = (name: "JSONSerialization", CodecOperation.jsonSerialization)
        time("decode a \(Sample.bodyBytes)-byte callback into a reused array", .decodeReused, peer: decoder)
        allocations(.decodeReused, most: 0, peer: decoder)
        time("decode it into an array of its own (its record)", .decodeFresh, peer: serialization)
        allocations(.decodeFresh, most: 1, peer: serialization)
        time("encode its record's line", .encode)
        allocations(.encode)
        time("parse a \(Sample.post.count)-byte HTTP/1.1 POST", .parse)
        allocations(.parse)
        try checksum(measuring, into: &table)
    }

    // MARK: CRC-32C

    private static func checksum(_ measuring: Measuring, into table: inout Table) throws {
        var numbers = SeededNumbers(seed: 1)
        let bytes = (0..<checksumBytes).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
        let peer = ByteTable()
        guard CRC32C.checksum(bytes.span) == peer.checksum(bytes.span) else {
            throw BenchmarkFailure("CRC-32C here and in the peer are not the same")
        }
        let here = measuring.nanoseconds { Int(CRC32C.checksum(bytes.span)) }
        let peerTime = measuring.nanoseconds { Int(peer.checksum(bytes.span)) }
        // Bytes per nanosecond are thousands of megabytes per second.
        let megabytes = Double(bytes.count) * 1_000
        table.add(
            "CRC-32C of 64 KiB, MB/s", text(megabytes / here), peer: "bytewise table \(text(megabytes / peerTime))",
            ratio: peerTime / here)
        let short = CodecOperation.body
        let shortTime = measuring.nanoseconds { Int(CRC32C.checksum(short.span)) }
        table.add("CRC-32C of \(short.count) bytes, ns", text(shortTime))
    }

    /// CRC-32C as it is done where no instruction helps (RFC 3720 §B.4).
    private struct ByteTable {
        private var entries = [UInt32](repeating: 0, count: 256)

        init() {
            for index in 0..<256 {
                var entry = UInt32(index)
                for _ in 0..<8 { entry = entry >> 1 ^ (entry & 1 == 1 ? 0x82F6_3B78 : 0) }
                entries[index] = entry
            }
        }

        func checksum(_ bytes: Span<UInt8>) -> UInt32 {
            var value = ~UInt32(0)
            for index in bytes.indices {
                value = value >> 8 ^ entries[Int(UInt8(truncatingIfNeeded: value) ^ bytes[index])]
            }
            return ~value
        }
    }
}
