// What requests, connections and refusals are counted under: the values of the labels `route`, `protocol`, `reason` and `what`.
//
// Promises: sets that are closed, so that nobody outside can make a new series; a path, an id or a secret is none of them
// (invariant 9). Names never change: dashboards and alerts hold on to them.
// Must not know: how a route is found, how anything is counted.

import HTTPWire

/// Which route a request went to.
enum MeteredRoute: UInt8, CaseIterable {
    /// `requestWait` are those requests that had to wait for their callback.
    case callback, request, requestWait, announcement, requestCallbacks, requests, events, statistics, export, quarantine, requeue
    case document, page, metrics, healthz, readyz
    /// Nothing is at its path, or no route saw it.
    case other

    var name: StaticString {
        switch self {
        case .callback: "callback"
        case .request: "request"
        case .requestWait: "request_wait"
        case .announcement: "announcement"
        case .requestCallbacks: "request_callbacks"
        case .requests: "requests"
        case .events: "events"
        case .statistics: "statistics"
        case .export: "export"
        case .quarantine: "quarantine"
        case .requeue: "requeue"
        case .document: "openapi"
        case .page: "page"
        case .metrics: "metrics"
        case .healthz: "healthz"
        case .readyz: "readyz"
        case .other: "other"
        }
    }
}

extension APIRoute {
    /// What a request with this method is counted under.
    func metered(_ method: Method) -> MeteredRoute {
        switch self {
        case .healthz: .healthz
        case .readyz: .readyz
        case .document: .document
        case .page: .page
        case .metrics: .metrics
        case .requests: .requests
        case .statistics: .statistics
        case .events: .events
        case .export: .export
        case .request: method == .put ? .announcement : .request
        case .callbacks: .requestCallbacks
        case .quarantine: .quarantine
        case .requeue: .requeue
        }
    }
}

/// What a connection speaks.
enum MeteredProtocol: UInt8, CaseIterable {
    /// Its first bytes have not come.
    case undecided
    case http1, http2

    /// Requests have been made over these.
    static let decided: [MeteredProtocol] = [.http1, .http2]

    var name: StaticString {
        switch self {
        case .undecided: "undecided"
        case .http1: "HTTP/1.1"
        case .http2: "HTTP/2"
        }
    }
}

/// Why a callback was not taken.
enum CallbackRefusal: UInt8, CaseIterable {
    case malformed, unauthorized, unusable, tooLarge, timeout, overloaded, notStored
    /// A wrong method, a target or fields too long: HTTP's own.
    case other

    init(status: UInt16, isShed: Bool) {
        self =
            switch status {
            case 400: .malformed
            case 401: .unauthorized
            case 408: .timeout
            case 413: .tooLarge
            case 422: .unusable
            case 503: isShed ? .overloaded : .notStored
            default: .other
            }
    }

    var name: StaticString {
        switch self {
        case .malformed: "malformed"
        case .unauthorized: "unauthorized"
        case .unusable: "unusable"
        case .tooLarge: "too_large"
        case .timeout: "timeout"
        case .overloaded: "overloaded"
        case .notStored: "not_stored"
        case .other: "other"
        }
    }
}

/// What was told 503 because there was too much of it.
enum Shed: UInt8, CaseIterable {
    /// A record is a callback or an announcement.
    case record, question, wait, stream, connection

    var name: StaticString {
        switch self {
        case .record: "record"
        case .question: "question"
        case .wait: "wait"
        case .stream: "stream"
        case .connection: "connection"
        }
    }
}

/// What is known of a request while it is served, to count its answer by.
struct Measure {
    var route = MeteredRoute.other
    var version = MeteredProtocol.http1
    /// When it was whole, in monotonic nanoseconds; nil where it never was.
    var began: Int64?
    /// Its answer is 503 because there is too much.
    var isShed = false
    /// What the access log says of it; nil where there is none.
    var access: AccessEntry?
}
