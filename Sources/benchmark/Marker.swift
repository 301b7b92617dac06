// How many records a running server has: asked by storing one more.
//
// Promises: each marker is a new callback, of a series that nothing else uses; its sequence is the answer's.
// Must not know: what was stored between two of them.

import Foundation

struct Marker {
    private static let series: UInt32 = 1

    private var count: UInt64 = 0

    /// The sequence of one more record.
    mutating func sequence(_ here: Subject) throws -> Int {
        count += 1
        let body = Sample.body(Sample.requestID(series: Self.series, number: count))
        let answer = try Client(port: here.port).post("/callback", body)
        let label = "\"sequence\":"
        guard answer.status == 200, let range = answer.body.range(of: label),
            let sequence = Int(answer.body[range.upperBound...].prefix { $0.isNumber })
        else { throw BenchmarkFailure("the server answers \(answer.status): \(answer.body)") }
        return sequence
    }
}
