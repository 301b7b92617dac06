// What the HTTP/2 cases expect in common: connection errors, stream errors, malformed requests.
//
// Promises: where the RFC leaves a choice (a stream error may be made a connection error, RFC 9113 §5.4.2; a malformed
// request may be answered before its stream ends, §8.1.1) each choice is allowed; what is never allowed is that the
// request is executed. Each case runs with its frames sent whole, and byte by byte where they are short.
// Must not know: how a server is built.

import Testing
import TestSupport

/// A connection to the shared server, SETTINGS acknowledged on both sides.
/// - Parameter inBytes: whether short frames are sent byte by byte.
func connectHTTP2(_ settings: [(UInt16, UInt32)] = [], inBytes: Bool = false) throws -> HTTP2Connection {
    let connection = try HTTP2Connection(port: Shared.server().port, settings: settings)
    connection.piecesBytesMax = inBytes ? 1_000 : 0
    return connection
}

/// The field block of a POST to the callback.
func postBlock(_ more: [(String, String)] = []) -> [UInt8] {
    HPACK.block(HTTP2Connection.fields("POST", "/callback") + more)
}

/// The field block of a query that is answered 200.
let healthBlock = HPACK.block(HTTP2Connection.fields("GET", "/healthz"))

/// Expects that what is sent ends the connection: GOAWAY with one of the codes, then the end; and that a callback sent
/// behind it is not executed (RFC 9113 §5.4.1, §6.8).
func expectConnectionError(
    _ codes: Set<HTTP2ErrorCode>, settings: [(UInt16, UInt32)] = [], sourceLocation: SourceLocation = #_sourceLocation,
    _ provoke: (HTTP2Connection) throws -> Void
) throws {
    for inBytes in [false, true] { try expectConnectionError(codes, connectHTTP2(settings, inBytes: inBytes), sourceLocation, provoke) }
}

private func expectConnectionError(
    _ codes: Set<HTTP2ErrorCode>, _ connection: HTTP2Connection, _ sourceLocation: SourceLocation, _ provoke: (HTTP2Connection) throws -> Void
) throws {
    let smuggled = Shared.freshIdentifier("smuggled")
    try provoke(connection)
    try connection.send(.headers(postBlock(), on: 1001, end: false), .data(Array(sentPayload(smuggled).utf8), on: 1001, end: true))
    try connection.readToEnd()
    let goAway = connection.goAways.last
    #expect(goAway.map { codes.contains($0.code) } == true, "GOAWAY: \(connection.goAways)", sourceLocation: sourceLocation)
    // §6.8: the last stream named is one that may have been executed; that none behind an error was is asked for here.
    #expect(connection.streams[1001]?.fields == nil, sourceLocation: sourceLocation)
    #expect(try Shared.server().status(of: smuggled).status == 404, sourceLocation: sourceLocation)
}

/// Expects that what is sent ends its stream with one of the codes, or the connection with one; in the first case
/// another stream goes on (RFC 9113 §5.4.2).
func expectStreamError(
    _ codes: Set<HTTP2ErrorCode>, settings: [(UInt16, UInt32)] = [], sourceLocation: SourceLocation = #_sourceLocation,
    _ provoke: (HTTP2Connection) throws -> UInt32
) throws {
    for inBytes in [false, true] { try expectStreamError(codes, connectHTTP2(settings, inBytes: inBytes), sourceLocation, provoke) }
}

private func expectStreamError(
    _ codes: Set<HTTP2ErrorCode>, _ connection: HTTP2Connection, _ sourceLocation: SourceLocation, _ provoke: (HTTP2Connection) throws -> UInt32
) throws {
    let other = connection.takeStream()
    try connection.send(.headers(healthBlock, on: other, end: false))
    let stream = try provoke(connection)
    switch try connection.outcome(of: stream) {
    case .reset(let code):
        #expect(codes.contains(code), "\(code)", sourceLocation: sourceLocation)
        try connection.send(.data([], on: other, end: true))
        #expect(try connection.answer(on: other).status == 200, sourceLocation: sourceLocation)
    case .goAway(let code):
        #expect(codes.contains(code), "GOAWAY \(code)", sourceLocation: sourceLocation)
        try connection.readToEnd()
    case let outcome:
        Issue.record("stream \(stream) ended with \(outcome)", sourceLocation: sourceLocation)
    }
}

/// Expects that a POST of a callback under this field block is malformed (RFC 9113 §8.1.1): reset with PROTOCOL_ERROR
/// or answered with a 4xx, never executed, and another stream of the connection goes on.
func expectMalformed(
    block: [UInt8], trailers: [UInt8]? = nil, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    for inBytes in [false, true] { try expectMalformed(block, trailers, connectHTTP2(inBytes: inBytes), sourceLocation) }
}

private func expectMalformed(_ block: [UInt8], _ trailers: [UInt8]?, _ connection: HTTP2Connection, _ sourceLocation: SourceLocation) throws {
    let other = connection.takeStream(), stream = connection.takeStream()
    try connection.send(.headers(healthBlock, on: other, end: false))
    let smuggled = Shared.freshIdentifier("smuggled")
    try connection.send(.headers(block, on: stream, end: false), .data(Array(sentPayload(smuggled).utf8), on: stream, end: trailers == nil))
    if let trailers { try connection.send(.headers(trailers, on: stream, end: true)) }
    switch try connection.outcome(of: stream) {
    case .reset(let code): #expect(code == .protocolError, sourceLocation: sourceLocation)
    case .answer(let answer): #expect((400...499).contains(answer.status), "\(answer)", sourceLocation: sourceLocation)
    case let outcome: Issue.record("malformed, and ended with \(outcome)", sourceLocation: sourceLocation)
    }
    if !connection.hasEnded {
        try connection.send(.data([], on: other, end: true))
        #expect(try connection.answer(on: other).status == 200, "another stream", sourceLocation: sourceLocation)
    }
    #expect(try Shared.server().status(of: smuggled).status == 404, "a malformed request was executed", sourceLocation: sourceLocation)
}

/// As above, by fields.
func expectMalformed(_ fields: [(String, String)], sourceLocation: SourceLocation = #_sourceLocation) throws {
    try expectMalformed(block: HPACK.block(fields), sourceLocation: sourceLocation)
}

/// Posts a callback under this field block and expects that it is stored: the neighbour of what is malformed.
func expectTaken(block: [UInt8], trailers: [UInt8]? = nil, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let connection = try connectHTTP2()
    let identifier = Shared.freshIdentifier()
    let stream = connection.takeStream()
    try connection.send(.headers(block, on: stream, end: false), .data(Array(sentPayload(identifier).utf8), on: stream, end: trailers == nil))
    if let trailers { try connection.send(.headers(trailers, on: stream, end: true)) }
    let answer = try connection.answer(on: stream)
    #expect(answer.status == 200, "\(answer.text)", sourceLocation: sourceLocation)
    #expect(try connection.exchange("GET", "/v1/requests/\(identifier)").status == 200, sourceLocation: sourceLocation)
}
