// GET /v1/requests/{request_id} (API.md §4), and what the routes about requests have in common.
//
// Promises: what is answered is durable. A 404 only where nothing is known. Must not know: connections, how records are
// stored.

import CallbackLog
import CrispCallback
import HTTPWire

extension Router {
    static let notFound = "Nothing is known of this request_id: no callback for it has arrived here, and it was not announced."
    static let indexing = "The log's index is being made again, and until then it is not known whether there is more of this request. Ask again in a moment."
    static let unreadable = "A record of this request cannot be read back. The server's log names the file; keep a copy of it."

    func answerStatus(_ request: borrowing Request, requestID: [UInt8], into response: inout Response, using reader: inout RecordReader) {
        guard parameters(request, known: [], into: &response) != nil else { return }
        fill(&response, with: requestID, path: request.bytes(request.path), using: &reader)
    }

    /// What is known of a request now, or a problem.
    func fill(_ response: inout Response, with requestID: [UInt8], path: ArraySlice<UInt8>, using reader: inout RecordReader) {
        do throws(RequestStateFailure) {
            guard let found = try log.find(requestID.span, using: &reader) else {
                return Problem.fill(&response, status: 404, detail: Self.notFound, instance: path)
            }
            begin(&response)
            StatusAnswer.append(
                requestID: requestID.span, found.state, status: found.status, payload: reader.bytes.span.extracting(found.payload),
                to: &response.body)
        } catch {
            fail(error, &response, path)
        }
    }

    func fail(_ failure: RequestStateFailure, _ response: inout Response, _ instance: ArraySlice<UInt8>?) {
        guard case .record(.indexing) = failure else {
            return Problem.fill(&response, status: 500, detail: Self.unreadable, instance: instance)
        }
        Self.unavailable(Self.indexing, Problem.indexingRetrySeconds, instance, &response)
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
