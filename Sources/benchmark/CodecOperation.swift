// What is done to the bytes of one callback, each thing as the server does it, and the peers of the decoder.
//
// Promises: the same bytes for all; state that the server reuses is reused here. Each operation returns a number that
// depends on its work. Must not know: what of it is measured.

import CallbackLog
import CrispCallback
import Foundation
import HTTPWire
import Platform

enum CodecOperation: String {
    case decodeReused, decodeFresh, jsonDecoder, jsonSerialization, encode, parse

    static var body: [UInt8] { Sample.body(Sample.requestID(series: Sample.knownSeries, number: 1)) }

    /// Hands over every operation, one after the other.
    static func each(_ visit: (CodecOperation, () throws -> Int) throws -> Void) throws {
        try decoding(visit)
        try peers(visit)
        try encoding(visit)
        try parsing(visit)
    }

    private static func decoding(_ visit: (CodecOperation, () throws -> Int) throws -> Void) throws {
        let body = Self.body
        var record: [UInt8] = []
        try visit(.decodeReused) {
            record.removeAll(keepingCapacity: true)
            return try CallbackDecoder.decode(body.span, into: &record).requestID.upperBound
        }
        // As the server does it: the record is handed on, so each callback has an array of its own.
        try visit(.decodeFresh) {
            var record: [UInt8] = []
            record.reserveCapacity(body.count + 64)
            let decoded = try CallbackDecoder.decode(body.span, into: &record)
            return decoded.requestID.upperBound &+ Int(record[decoded.requestID.lowerBound])
        }
    }

    /// What Foundation reads of a callback: less than our decoder looks at.
    private struct PeerCallback: Decodable {
        struct Fields: Decodable {
            let request_id: String
            let whatsapp_message_id: String
            let crisp_fingerprint: Int
            let session_id: String
        }
        let error: Bool
        let reason: String
        let data: Fields
    }

    private static func peers(_ visit: (CodecOperation, () throws -> Int) throws -> Void) throws {
        let decoder = JSONDecoder()
        let data = Data(Self.body)
        try visit(.jsonDecoder) { try decoder.decode(PeerCallback.self, from: data).data.request_id.utf8.count }
        try visit(.jsonSerialization) { (try JSONSerialization.jsonObject(with: data) as? [String: Any])?.count ?? 0 }
    }

    private static func encoding(_ visit: (CodecOperation, () throws -> Int) throws -> Void) throws {
        var record: [UInt8] = []
        let decoded = try CallbackDecoder.decode(Self.body.span, into: &record)
        let receivedAt = Timestamp(milliseconds: Clock.wallMilliseconds())
        var lines: [UInt8] = []
        var sequence: UInt64 = 1_000_000
        try visit(.encode) {
            lines.removeAll(keepingCapacity: true)
            sequence += 1
            RecordFormat.appendCallback(
                sequence: sequence, receivedAt: receivedAt, requestID: record.span.extracting(decoded.requestID),
                status: .sent, payload: record.span.extracting(decoded.payload), durable: sequence - 1, to: &lines)
            return Int(lines[lines.count - 4])
        }
    }

    private static func parsing(_ visit: (CodecOperation, () throws -> Int) throws -> Void) throws {
        let input = Sample.post
        let idle = HTTP1Session(limits: HTTPLimits())
        var request = Request()
        try visit(.parse) {
            var session = idle
            var position = 0
            guard session.receive(input.span, at: &position, into: &request) == .request else {
                throw BenchmarkFailure("the sample is no whole request")
            }
            return position
        }
    }
}
