// GET /v1/requests/{request_id} (API.md §4), and what the routes about requests have in common.
//
// Promises: what is answered is durable. A 404 only where nothing is known. Must not know: connections, how records are
// stored.

import CallbackLog
import CrispCallback
import HTTPWire

extension Router {
    static let notFound = "Nothing is known of this request_id: no callback for it has arrived here, and it was not announced."
    static let indexing = """
        The log's index is being made again, and until then it is not known whether there is more of this request. Ask again in a moment; \
        if it stays so, /readyz names the file that cannot be read.
        """
    static let diskFails = "The log cannot be read now; the server's log says why. Ask again in a moment."
    static let unreadable = "A record of this request cannot be read back. The server's log names the file; keep a copy of it."

    /// With `wait`, or a preference for it (RFC 7240), the answer is held until a callback has come.
    func answerStatus(
        _ request: borrowing Request, requestID: [UInt8], into response: inout Response, using reader: inout RecordReader
    ) -> Disposition {
        guard let parameters = parameters(request, known: [.wait], into: &response) else { return .respond }
        let preferred = parameters.waitMilliseconds == nil ? Preference.waitMilliseconds(request) : nil
        let milliseconds = parameters.waitMilliseconds ?? preferred ?? 0
        let isFinal = fill(&response, with: requestID, path: request.bytes(request.path), using: &reader)
        // RFC 7240 §3: so that the client knows that the answer was held, or would have been.
        let applied = preferred.map { Response.Field(name: "Preference-Applied", value: "wait=\($0 / 1_000)") }
        guard !isFinal, milliseconds > 0 else {
            if let applied { response.fields.append(applied) }
            return .respond
        }
        let path = Array(request.bytes(request.path))
        return .wait(
            PreparedWait(requestHash: log.hash(of: requestID.span), milliseconds: Int64(milliseconds), path: path) { [self] scratch in
                var response = Response()
                let isFinal = fill(&response, with: requestID, path: path[...], using: &scratch.reader)
                if let applied { response.fields.append(applied) }
                return WaitAnswer(response: response, isFinal: isFinal)
            })
    }

    /// What is known of a request now, or a problem. True where there is nothing to wait for.
    @discardableResult
    func fill(_ response: inout Response, with requestID: [UInt8], path: ArraySlice<UInt8>, using reader: inout RecordReader) -> Bool {
        do throws(RequestStateFailure) {
            guard let found = try log.find(requestID.span, using: &reader) else {
                Problem.fill(&response, status: 404, detail: Self.notFound, instance: path)
                return false
            }
            begin(&response)
            StatusAnswer.append(
                requestID: requestID.span, found.state, status: found.status, payload: reader.bytes.span.extracting(found.payload),
                to: &response.body)
            return found.status.isFinal
        } catch {
            fail(error, &response, path)
            return true
        }
    }

    func fail(_ failure: RequestStateFailure, _ response: inout Response, _ instance: ArraySlice<UInt8>?) {
        switch failure {
        case .record(.indexing): Self.unavailable(Self.indexing, Problem.indexingRetrySeconds, instance, &response)
        case .record(.system): Self.unavailable(Self.diskFails, Problem.blockedRetrySeconds, instance, &response)
        case .record(.damaged), .payload: Problem.fill(&response, status: 500, detail: Self.unreadable, instance: instance)
        }
    }

    /// The query's parameters; nil where the response says what is wrong with them.
    func parameters(_ request: borrowing Request, known: [Parameter], into response: inout Response) -> Parameters? {
        do throws(ParameterFault) {
            return try Parameters(request, known: known)
        } catch {
            Problem.fill(&response, status: 400, detail: error.detail, for: request)
            return nil
        }
    }
}
