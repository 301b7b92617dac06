// Which path leads to which route of the API (API.md §4, §5).
//
// Promises: paths are split at `/`, then percent-decoded once, so that a request_id may hold any byte. A slash too many is
// another path. Must not know: methods, who may ask, what a route answers.

import HTTPWire

/// A route of the API; with the range of the identifier in `segmentBytes` where it is about one request.
enum APIRoute {
    case healthz, readyz
    /// The interface as a document for programs.
    case document
    case page(PageFile)
    case metrics
    case requests, statistics, events, export
    case request(Range<Int>), callbacks(Range<Int>)
    /// What was refused, and taken in again.
    case quarantine, requeue

    /// Beside GET and HEAD.
    var takesPUT: Bool { if case .request = self { true } else { false } }

    /// What a token must allow; nil where none is asked for: whoever probes has none.
    func scope(_ method: Method) -> TokenScope? {
        switch self {
        case .healthz, .readyz: nil
        case .metrics: .metrics
        case .requeue: .write
        default: method == .put ? .write : .read
        }
    }
}

extension Router {
    /// False where a segment is wrongly encoded.
    func split(_ request: borrowing Request, into scratch: inout RouteScratch) -> Bool {
        scratch.segmentBytes.removeAll(keepingCapacity: true)
        scratch.segmentEnds.removeAll(keepingCapacity: true)
        var segments = PathSegments(of: request.path, in: request.head.span)
        while let segment = segments.next(in: request.head.span) {
            guard PercentEncoding.decode(request.head.span, at: segment, into: &scratch.segmentBytes) else { return false }
            scratch.segmentEnds.append(scratch.segmentBytes.count)
        }
        return true
    }

    /// Whether `request` is for the configured path.
    func isCallback(_ request: borrowing Request, using scratch: inout RouteScratch) -> Bool {
        split(request, into: &scratch) && isCallbackPath(scratch)
    }

    /// The configured path, with or without a slash at its end.
    func isCallbackPath(_ scratch: borrowing RouteScratch) -> Bool {
        var count = scratch.segmentEnds.count
        guard count > 0 else { return false }
        if segment(count - 1, scratch).isEmpty { count -= 1 }
        guard count == callbackPath.count else { return false }
        for index in 0..<count {
            let range = segment(index, scratch)
            guard range.count == callbackPath[index].count else { return false }
            for offset in 0..<range.count where callbackPath[index][offset] != scratch.segmentBytes[range.lowerBound + offset] { return false }
        }
        return true
    }

    /// Nil where there is nothing at the path.
    func apiRoute(_ scratch: borrowing RouteScratch) -> APIRoute? {
        let count = scratch.segmentEnds.count
        if count == 1 {
            if isSegment(0, scratch, "healthz") { return .healthz }
            if isSegment(0, scratch, "readyz") { return .readyz }
            if isSegment(0, scratch, "metrics") { return .metrics }
            if isSegment(0, scratch, "openapi.json") { return .document }
            if isSegment(0, scratch, "") { return .page(.html) }
            if isSegment(0, scratch, "page.css") { return .page(.style) }
            return isSegment(0, scratch, "page.js") ? .page(.script) : nil
        }
        guard count >= 2, isSegment(0, scratch, "v1") else { return nil }
        if count == 2 {
            if isSegment(1, scratch, "requests") { return .requests }
            if isSegment(1, scratch, "quarantine") { return .quarantine }
            if isSegment(1, scratch, "statistics") { return .statistics }
            if isSegment(1, scratch, "events") { return .events }
            return isSegment(1, scratch, "export") ? .export : nil
        }
        if count == 3, isSegment(1, scratch, "quarantine") { return isSegment(2, scratch, "requeue") ? .requeue : nil }
        guard isSegment(1, scratch, "requests") else { return nil }
        if count == 3 { return segment(2, scratch).isEmpty ? nil : .request(segment(2, scratch)) }
        return count == 4 && isSegment(3, scratch, "callbacks") ? .callbacks(segment(2, scratch)) : nil
    }

    private func segment(_ index: Int, _ scratch: borrowing RouteScratch) -> Range<Int> {
        (index == 0 ? 0 : scratch.segmentEnds[index - 1])..<scratch.segmentEnds[index]
    }

    private func isSegment(_ index: Int, _ scratch: borrowing RouteScratch, _ name: StaticString) -> Bool {
        let range = segment(index, scratch)
        guard range.count == name.utf8CodeUnitCount else { return false }
        // A static string's storage lives for ever; the offset stays below its count.
        for offset in 0..<range.count where unsafe name.utf8Start[offset] != scratch.segmentBytes[range.lowerBound + offset] { return false }
        return true
    }
}
