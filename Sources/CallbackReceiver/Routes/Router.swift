// Which request gets which answer: the routes of API.md §3 to §5.
//
//     request ─▶ path ─▶ method ─▶ access ─▶ route ─┬▶ response, at once
//                                                   └▶ what answers it later: see Disposition
//
// Promises: a pure step from request to disposition but for reads of the log; knows no connection, so that
// HTTP/1.1 and HTTP/2 are served alike. Paths are split at `/`, then percent-decoded once.
// Must not know: sockets, loops, deadlines.

import CallbackLog
import CrispCallback
import HTTPWire
import Platform

/// What a loop lends to the routes: storage that is reused, touched by that loop only.
struct RouteScratch {
    var reader = RecordReader()
    /// The path's segments, percent-decoded, one behind the other, and where each ends.
    var segmentBytes: [UInt8] = []
    var segmentEnds: [Int] = []
    /// Why the callback that was routed last is answered 401; nil where it is not.
    var unproved: ProofOfOrigin.Refusal?
    /// What the request that was routed last is counted under.
    var metered = MeteredRoute.other
    /// It was refused since too many callbacks wait.
    var isShed = false
}

package struct Router: Sendable {
    /// What a 404 of the callback's own address begins with.
    package static let callbacksOnly = "This address takes callbacks only"

    let log: CallbackLog
    private(set) var logOptions: LogOptions
    /// The configured path, by its segments and as it is.
    private(set) var callbackPath: [[UInt8]]
    private(set) var pathBytes: [UInt8]
    /// What an announcement allows that names no time.
    private(set) var overdueAfterSeconds: Int
    private var access: Access
    private(set) var origin: CallbackOrigin
    /// Where refused bodies are kept.
    let quarantine: Quarantine
    let requeue: Requeue
    private var scrape: Scrape
    /// Asked where there is nothing at a path; tests put their routes there.
    private let furtherRoute: FurtherRoute?

    /// Routes that are not these; nil where there is none at the path either.
    typealias FurtherRoute = @Sendable (borrowing Request, inout Response) -> Disposition?

    init(
        configuration: ServerConfiguration, access: Access, origin: CallbackOrigin? = nil, log: CallbackLog, logOptions: LogOptions,
        quarantine: Quarantine, scrape: Scrape? = nil, furtherRoute: FurtherRoute? = nil
    ) {
        self.scrape = scrape ?? Scrape(
            log: log, logOptions: logOptions, quarantine: quarantine, handles: [], following: Following(), connectionsMax: 0)
        self.quarantine = quarantine
        requeue = Requeue(log: log, quarantine: quarantine)
        self.log = log
        self.logOptions = logOptions
        self.furtherRoute = furtherRoute
        overdueAfterSeconds = configuration.overdueAfterSeconds
        self.access = access
        self.origin = origin ?? CallbackOrigin(configuration)
        callbackPath = configuration.callbackPath.split(separator: "/").map { Array($0.utf8) }
        pathBytes = Array(configuration.callbackPath.utf8)
    }

    /// The same routes by another configuration.
    func takingUp(_ configuration: ServerConfiguration, logOptions: LogOptions, connectionsMax: Int) -> Router {
        var router = self
        router.access = access.takingUp(configuration)
        router.logOptions = logOptions
        router.scrape = scrape.takingUp(logOptions, connectionsMax: connectionsMax)
        router.origin = CallbackOrigin(configuration)
        router.overdueAfterSeconds = configuration.overdueAfterSeconds
        router.callbackPath = configuration.callbackPath.split(separator: "/").map { Array($0.utf8) }
        router.pathBytes = Array(configuration.callbackPath.utf8)
        return router
    }

    /// Answers `request`, or says what to append. While overloaded, callbacks are refused before they are decoded.
    func route(
        _ request: borrowing Request, from peer: IPAddress, role: ListenerRole, isDraining: Bool, isOverloaded: Bool,
        into response: inout Response, using scratch: inout RouteScratch
    ) -> Disposition {
        response.reset()
        scratch.unproved = nil
        scratch.metered = .other
        scratch.isShed = false
        guard split(request, into: &scratch) else {
            Problem.fill(&response, status: 400, detail: "The path has a % that is not followed by two hexadecimal digits.", for: request)
            return .respond
        }
        if role.contains(.callback), isCallbackPath(scratch) {
            scratch.metered = .callback
            guard allow(.post, "POST", request, &response) else { return .respond }
            // Before it is decoded: refusing has to cost less than what there is too much of.
            if isOverloaded {
                scratch.isShed = true
                Self.overloaded(request.bytes(request.path), &response)
                return .respond
            }
            if let refusal = origin.refusal(of: request) {
                scratch.unproved = refusal
                origin.fill(&response, refusal, for: request)
                return Self.kept(request, status: 401, detail: refusal.description, isProved: false)
            }
            return take(request, into: &response)
        }
        guard role.contains(.api), let route = apiRoute(scratch) else {
            if let disposition = furtherRoute?(request, &response) { return disposition }
            let detail = role.contains(.api)
                ? "There is nothing at this path. See /openapi.json for the paths there are."
                : "\(Self.callbacksOnly), at \(String(decoding: pathBytes, as: UTF8.self)). The API has an address of its own (api.listen)."
            Problem.fill(&response, status: 404, detail: detail, for: request)
            return .respond
        }
        scratch.metered = route.metered(request.method)
        var scopes: AccessScopes = []
        if let scope = route.scope(request.method) {
            // Who may not ask does not learn what may be done either.
            switch access.decide(request, from: peer, needs: scope) {
            case .granted(let granted): scopes = granted
            case .refused(let refusal):
                refusal.fill(&response, for: request)
                return .respond
            }
        }
        if case .requeue = route { return allow(.post, "POST", request, &response) ? answerRequeue(request, into: &response) : .respond }
        let method: Method = route.takesPUT && request.method == .put ? .put : .get
        guard allow(method, route.takesPUT ? "GET, HEAD, PUT" : "GET, HEAD", request, &response) else { return .respond }
        switch route {
        case .requeue: break
        case .quarantine: return quarantinePage(request, showsBodies: scopes.contains(.write), into: &response)
        case .healthz:
            begin(&response)
            response.body.append("{\"status\":\"alive\"}")
        case .readyz: return .query(Health.query(log, options: logOptions, isDraining: isDraining, path: Array(request.bytes(request.path))))
        case .document:
            // A route that changes changes openapi.json, beside this file, in the same commit: it has no `default` answers, and
            // tests hold it to what is answered.
            begin(&response)
            response.body.append(contentsOf: PackageResources.openapi_json)
        case .page(let file): file.fill(&response)
        case .metrics: return .query(scrape.query(path: Array(request.bytes(request.path)), isDraining: isDraining))
        case .requests: return list(request, into: &response)
        case .statistics: return statistics(request, into: &response)
        case .events: return follow(request, into: &response)
        case .export: return export(request, into: &response)
        case .request(let segment):
            let requestID = Array(scratch.segmentBytes[segment])
            if method == .put { return announce(request, requestID: requestID, into: &response) }
            return answerStatus(request, requestID: requestID, into: &response, using: &scratch.reader)
        case .callbacks(let segment):
            answerCallbacks(request, requestID: Array(scratch.segmentBytes[segment]), into: &response, using: &scratch.reader)
        }
        return .respond
    }

    /// The answer to a callback, once its outcome is known.
    static func answer(_ prepared: PreparedCallback, _ outcome: AppendOutcome, into response: inout Response) {
        response.reset()
        switch outcome {
        case .stored(let sequence, let duplicate):
            response.contentType = "application/json"
            response.body.append("{\"request_id\":")
            response.body.append(jsonString: prepared.record.span.extracting(prepared.decoded.requestID))
            response.body.append(",\"status\":\"")
            response.body.append(contentsOf: prepared.decoded.status.name.utf8)
            response.body.append("\",\"sequence\":")
            response.body.append(decimal: sequence)
            response.body.append(",\"duplicate\":")
            response.body.append(duplicate ? "true}" : "false}")
        case .blocked(let block):
            unavailable("The callback was not stored: \(Health.publicText(block)) Send it again later.", Problem.blockedRetrySeconds, prepared.path[...], &response)
        case .tooManyRecords:
            Problem.fill(&response, status: 422, detail: tooManyRecords, instance: prepared.path[...])
        case .announced, .superfluous, .tooManyAwaited:
            preconditionFailure("a callback is neither an announcement nor overdue")
        }
    }

    private static let encoded = "The body has a Content-Encoding, and none is taken here: send it as it is. "

    private static let tooManyRecords = """
        The callback was not stored: its request_id has \(CallbackLog.recordsPerRequestMax) records already, and no more are. It is \
        kept in the quarantine.
        """

    /// What is kept of a callback that the log refused; nil where it did not.
    static func keptRefusal(_ prepared: PreparedCallback, _ outcome: AppendOutcome) -> KeptRefusal? {
        guard case .tooManyRecords = outcome else { return nil }
        let payload = prepared.record[prepared.decoded.payload]
        return .of(payload, status: 422, detail: tooManyRecords, isProved: true)
    }

    /// 503 with Retry-After: not stored now.
    static func unavailable(_ detail: String, _ retrySeconds: String, _ instance: ArraySlice<UInt8>?, _ response: inout Response) {
        Problem.fill(&response, status: 503, detail: detail, instance: instance)
        response.fields.append(Response.Field(name: "Retry-After", value: retrySeconds))
    }

    /// 503: more callbacks come than the disk takes.
    static func overloaded(_ instance: ArraySlice<UInt8>, _ response: inout Response) {
        unavailable("Too many callbacks wait for the disk. Send it again.", Problem.overloadRetrySeconds, instance, &response)
    }

    // MARK: methods

    /// RFC 9110 §15.5.6: 405 names what is allowed; §15.6.2: 501 for a method that is not known at all.
    private func allow(_ method: Method, _ allowed: String, _ request: borrowing Request, _ response: inout Response) -> Bool {
        if request.method == method || (method == .get && request.method == .head) { return true }
        if request.method == .other {
            Problem.fill(&response, status: 501, detail: "This method is not known here. Use \(allowed).", for: request)
        } else {
            Problem.fill(&response, status: 405, detail: "This method is not allowed here. Use \(allowed).", for: request)
            response.fields.append(Response.Field(name: "Allow", value: allowed))
        }
        return false
    }

    func begin(_ response: inout Response) { Self.begin(&response) }

    /// Begins an answer in JSON that nobody may keep.
    static func begin(_ response: inout Response) {
        response.contentType = "application/json"
        response.fields.append(Response.Field(name: "Cache-Control", value: "no-store"))
    }

    // MARK: callbacks

    private func take(_ request: borrowing Request, into response: inout Response) -> Disposition {
        var record: [UInt8] = []
        record.reserveCapacity(min(request.body.count, 1 << 16) + 64)
        do throws(CallbackRejection) {
            let decoded = try CallbackDecoder.decode(request.body.span, into: &record)
            // Nearly always the path as it is configured: one array for all of them.
            let path = request.bytes(request.path)
            return .append(.callback(PreparedCallback(record: record, decoded: decoded, path: path.elementsEqual(pathBytes) ? pathBytes : Array(path))))
        } catch {
            let detail = request.hasField("content-encoding") && error.status == 400 ? Self.encoded + error.detail : error.detail
            Problem.fill(&response, status: error.status, detail: detail, for: request)
            return Self.kept(request, status: error.status, detail: detail, isProved: true)
        }
    }

    /// The refusal of a callback, which leaves once its body is kept, where there is one.
    private static func kept(_ request: borrowing Request, status: UInt16, detail: String, isProved: Bool) -> Disposition {
        guard !request.body.isEmpty else { return .respond }
        return .keep(.of(request.body[...], status: status, detail: detail, isProved: isProved))
    }
}
