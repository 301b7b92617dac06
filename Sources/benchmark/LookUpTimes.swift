// What it takes to look up random ids of a long log, there or not: over HTTP, and in the log alone.
//
// Promises: each look-up is timed by itself; over HTTP one connection asks one after the other, from the request being
// handed to the kernel to its answer being read, and the answer is looked at afterwards. The ids are the same every time,
// in no order, and none is kept.
// Must not know: how the log came to be.

import CallbackLog
import Platform

/// p50 and p99, in microseconds.
struct LookUpTimes {
    var median = Double.nan
    var percentile99 = Double.nan

    /// At most so many, and no more once so long was spent on them.
    private static let countMax = 50_000
    private static let secondsMax = 10.0
    private static let answerBytesMax = 65_536

    private init(nanoseconds: [UInt32]) {
        let both = percentiles([0.5, 0.99], of: nanoseconds)
        median = both[0] / 1_000
        percentile99 = both[1] / 1_000
    }

    init() {}

    /// Random numbers of callbacks that are there, or that no log has.
    private struct Numbers {
        var random = SeededNumbers(seed: 4)
        let range: ClosedRange<UInt64>

        init(_ log: LongLog, areThere: Bool) {
            range = areThere ? log.there : VariedSample.absent...(VariedSample.absent + UInt64(log.records))
        }

        mutating func next() -> UInt64 { .random(in: range, using: &random) }
    }

    /// Ids of `log`, asked of the server at `port`.
    init(_ log: LongLog, port: UInt16, areThere: Bool) throws {
        var numbers = Numbers(log, areThere: areThere)
        let fd = try Loopback.connect(port: port)
        defer { Socket.close(fd) }
        var request = Array("GET /v1/requests/".utf8)
        let place = request.count
        request += VariedSample.requestID(1) + Array(" HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n".utf8)
        var answer = [UInt8](repeating: 0, count: Self.answerBytesMax)
        var output: [UInt8] = []
        var reading = HTTP1LoadPeer(authority: "", series: 0)
        var nanoseconds: [UInt32] = []
        let end = Clock.monotonicNanoseconds() + Int64(Self.secondsMax * 1_000_000_000)
        for _ in 0..<Self.countMax where Clock.monotonicNanoseconds() < end {
            request.replaceSubrange(place..<(place + VariedSample.idBytes), with: VariedSample.requestID(numbers.next()))
            let asked = Clock.monotonicNanoseconds()
            guard case .bytes(request.count) = Socket.send(fd, request, from: 0) else { throw BenchmarkFailure("cannot ask") }
            guard case .bytes(let count) = Socket.receive(fd, into: &answer, from: 0) else { throw BenchmarkFailure("no answer") }
            nanoseconds.append(UInt32(clamping: Clock.monotonicNanoseconds() - asked))
            var status = 0
            let used = try reading.receive(answer, count: count, into: &output) { status = $0.status }
            guard used == count, status == (areThere ? 200 : 404) else {
                throw BenchmarkFailure("a look-up was answered with \(status)")
            }
        }
        self.init(nanoseconds: nanoseconds)
    }

    /// In the log itself, opened by this process; a record that is there is read and verified.
    init(_ log: LongLog, in opened: CallbackLog, areThere: Bool) throws {
        var numbers = Numbers(log, areThere: areThere)
        var reader = RecordReader()
        var nanoseconds: [UInt32] = []
        let end = Clock.monotonicNanoseconds() + Int64(Self.secondsMax * 1_000_000_000)
        for _ in 0..<Self.countMax where Clock.monotonicNanoseconds() < end {
            let identifier = VariedSample.requestID(numbers.next())
            let begun = Clock.monotonicNanoseconds()
            let found = try opened.records(of: identifier.span, using: &reader).count
            nanoseconds.append(UInt32(clamping: Clock.monotonicNanoseconds() - begun))
            guard found == (areThere ? 1 : 0) else { throw BenchmarkFailure("a look-up found \(found) records") }
        }
        self.init(nanoseconds: nanoseconds)
    }
}
