// What the tests of the delivery-status API say often: announce, list, read a history, tell times, wait for a status.
//
// Promises: what is asked for is what a program of the business would send; every helper fails with the answer's text.
// Must not know: what the answers should be.

import Foundation
import Testing
import TestSupport

extension ServerProcess {
    /// Announces a request.
    func put(_ identifier: String, _ json: String = "{}", fields: [String] = []) throws -> Answer {
        try exchange(requestBytes("PUT", "/v1/requests/" + percentEncoded(identifier), fields: fields, body: Array(json.utf8)))
    }

    /// The JSON object at a target that answers 200.
    func object(_ target: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> RawJSON {
        let answer = try get(target)
        #expect(answer.status == 200, "\(target): \(answer.text)", sourceLocation: sourceLocation)
        return try answer.object()
    }

    /// All records of a request, oldest first.
    func records(of identifier: String) throws -> [RawJSON] {
        let page = try object("/v1/requests/\(percentEncoded(identifier))/callbacks?limit=1000")
        return try #require(page.array("callbacks")).map { try RawJSON(object: $0) }
    }

    /// One page of requests.
    func requests(_ query: String = "") throws -> [RawJSON] {
        try #require(try object("/v1/requests" + query).array("requests")).map { try RawJSON(object: $0) }
    }

    /// The identifiers of one page, in its order.
    func identifiers(_ query: String = "") throws -> [String] { try requests(query).compactMap { $0.string("request_id") } }

    /// Posts callbacks on one connection, each of which must be stored.
    func postAll(_ payloads: [String]) throws {
        let connection = try connect()
        for batch in stride(from: 0, to: payloads.count, by: 50) {
            let these = payloads[batch..<min(batch + 50, payloads.count)]
            try connection.send(these.flatMap { postBytes($0) })
            for payload in these {
                let answer = try connection.readAnswer()
                guard answer.status == 200 else { throw TestFailure.unreadable("\(payload.prefix(100)): \(answer.text)") }
            }
        }
    }

    /// Waits until a request has a status.
    @discardableResult
    func eventually(_ identifier: String, is status: String) throws -> RawJSON {
        try TestSupport.eventually("\(identifier) is \(status)") {
            let answer = try self.status(of: identifier)
            guard answer.status == 200, let object = try? answer.object(), object.string("status") == status else { return nil }
            return object
        }
    }
}

/// A callback that failed, with Meta's code or without one.
func failedPayload(_ identifier: String, code: Int? = nil, message: String = "not delivered") -> String {
    #"{"request_id":"\#(identifier)","error":true,"message":"\#(message)"\#(code.map { ",\"code\":\($0)" } ?? "")}"#
}

/// Milliseconds since 1970 of a time as the API writes it.
func milliseconds(_ timestamp: String?, sourceLocation: SourceLocation = #_sourceLocation) throws -> Int {
    let text = try #require(timestamp, sourceLocation: sourceLocation)
    #expect(isTimestamp(text), "\(text)", sourceLocation: sourceLocation)
    let date = try Date(text, strategy: .iso8601.year().month().day().time(includingFractionalSeconds: true))
    return Int((date.timeIntervalSince1970 * 1000).rounded())
}

/// A time as the API writes it.
func timestamp(_ milliseconds: Int) -> String {
    Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true)) + "Z"
}
