// Where a loop counts: what becomes of connections and requests, each once.
//
//     beginMeasure (whole, routed) ─▶ measure ── kept with what is answered later ──▶ measure ─▶ countAnswer
//     beginRefusal (HTTP itself refuses it) ─▶ measure ────────────────────────────────────────▶ countAnswer
//
// Promises: `measure` is of the request that `response` answers, always; it is counted where the answer is handed to its
// connection, whatever gave it. Who is gone by then is not counted. Must not know: what is answered, how it is shown.

import HTTPWire
import Platform

extension Loop {
    /// The loop's `request` is whole.
    mutating func beginMeasure(_ connection: Connection) {
        measure = Measure(version: Self.version(of: connection), began: Clock.monotonicNanoseconds())
        noteAccess(connection)
    }

    /// The loop's `request` is refused before any route sees it; perhaps it is none.
    mutating func beginRefusal(_ connection: Connection) {
        measure = Measure(version: Self.version(of: connection), began: nil)
        if connection.role.contains(.callback), request.isHeadComplete, context.router.isCallback(request, using: &scratch) {
            measure.route = .callback
        }
        noteAccess(connection)
    }

    /// `response` is its answer.
    func countAnswer() {
        let nanoseconds = measure.began.map { Clock.monotonicNanoseconds() - $0 }
        if let nanoseconds {
            meters.countAnswer(measure, status: response.status, nanoseconds: nanoseconds)
        } else {
            meters.countStatus(measure, response.status)
        }
        measure.access?.say(response.status, nanoseconds: nanoseconds, version: measure.version, to: context.logger)
    }

    /// It is refused since there is too much of it.
    mutating func shed(_ what: Shed) {
        measure.isShed = true
        meters.count(what)
    }

    // MARK: connections

    /// The connection's first bytes have said what it speaks.
    func decide(_ connection: Connection, _ version: MeteredProtocol) {
        connection.isDecided = true
        connection.version = version
        meters.countDecided(version)
    }

    func countClosed(_ connection: Connection) { meters.countClosed(connection.version) }

    private static func version(of connection: Connection) -> MeteredProtocol { connection.streams == nil ? .http1 : .http2 }
}
