// /healthz and /readyz (API.md §5), and what a blocked log is called outside.
//
// Promises: /readyz is 503 with the check that fails; damage is named, with file and offset, and does not make it
// fail, since intake goes on (API.md §7). No path of the machine.
// Must not know: how to mend it.

import CallbackLog
import HTTPWire

enum Health {
    /// What readiness depends on.
    enum Check: String, CaseIterable {
        case log, disk, draining
    }

    /// Damaged places named in an answer; the count tells them all.
    static let damagesMax = 20

    /// Answers /readyz. Off the loops: the file system is asked, which may hang.
    static func query(_ log: CallbackLog, options: LogOptions, isDraining: Bool, path: [UInt8]) -> Query {
        Query(path: path, lane: .server) { _ in
            var response = Response()
            if let failure = failure(log, options: options, isDraining: isDraining) {
                notReady(&response, check: failure.check, detail: failure.detail, path: path[...])
            } else {
                ready(&response, log.damages)
            }
            return response
        }
    }

    private static func ready(_ response: inout Response, _ damages: (places: [UnsoundPlace], count: Int)) {
        Router.begin(&response)
        response.body.append("{\"status\":\"ready\",\"checks\":{\"log\":\"ok\",\"disk\":\"ok\",\"draining\":\"ok\"},\"damage_count\":")
        response.body.append(decimal: UInt64(damages.count))
        response.body.append(",\"damage\":[")
        for (index, place) in damages.places.prefix(damagesMax).enumerated() {
            response.body.append(index == 0 ? "{\"segment\":" : ",{\"segment\":")
            response.body.append(jsonString: place.segment)
            response.body.append(",\"offset\":")
            response.body.append(decimal: UInt64(place.offset))
            response.body.append(",\"sequence\":")
            response.body.append(decimal: place.sequence)
            response.body.append("}")
        }
        response.body.append("]}")
    }

    /// The check that fails first, and why; nil where the server is ready.
    static func failure(_ log: CallbackLog, options: LogOptions, isDraining: Bool) -> (check: Check, detail: String)? {
        let readiness = log.readiness(options: options)
        if let block = readiness.block { return (isAboutSpace(block) ? .disk : .log, publicText(block)) }
        if readiness.busyMilliseconds >= CallbackLog.stalledMilliseconds {
            return (.log, "The disk has not answered for \(readiness.busyMilliseconds / 1_000) s.")
        }
        return isDraining ? (.draining, "The server is stopping: it answers what it accepted and takes no new connection.") : nil
    }

    private static func notReady(_ response: inout Response, check: Check, detail: String, path: ArraySlice<UInt8>) {
        Problem.fill(&response, status: 503, detail: "\(check.rawValue): \(detail)", instance: path)
        // One more member of the problem (RFC 9457 §3.2): the check that fails.
        response.body.removeLast()
        response.body.append(",\"check\":\"")
        response.body.append(contentsOf: check.rawValue.utf8)
        response.body.append("\"}")
        response.fields.append(Response.Field(name: "Retry-After", value: Problem.blockedRetrySeconds))
    }

    private static func isAboutSpace(_ block: LogBlock) -> Bool {
        switch block {
        case .space: true
        case .failed(let error): error.isOutOfSpace
        case .directoryGone: false
        }
    }

    /// Why the log takes nothing, without paths of the machine; the log line has them.
    static func publicText(_ block: LogBlock) -> String {
        switch block {
        case .failed(let error) where error.isOutOfSpace: "The log's file system, or the quota on it, is full."
        case .failed(let error) where error.isReadOnly: "The log's file system is mounted read-only."
        case .failed: "The log cannot be written; the server's log says why."
        case .directoryGone: "The log directory was deleted, moved or replaced."
        case .space: "Too little space is left on the log's file system."
        }
    }
}
