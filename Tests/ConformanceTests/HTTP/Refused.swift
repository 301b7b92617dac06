// What it means that a message is refused, once for all tables of this folder.
//
// Promises: every refused message carries a second request, as its body and behind it, which must never
// be executed: it is a callback, and it is asked for afterwards. A refusal is read to the end of its connection.
// Must not know: which of several right statuses a server prefers, where the RFC leaves it open.

import Testing
import TestSupport

/// The head of a message with `$L`, the length of the request that is smuggled behind it.
typealias HeadTemplate = String

/// Sends the message and a callback behind it, whole and, where it is short, byte by byte, and expects one refusal, the
/// end of the connection, and no callback.
///
/// RFC 9112 §2.2: a message outside the grammar is answered 400 and the connection closed; §9.6: whoever says close
/// processes nothing further of that connection.
/// - Parameters:
///   - message: the message; `$L` in it becomes the length of what follows.
///   - statuses: the statuses that the RFC leaves to a server here.
func expectRefused(
    _ message: [UInt8], _ statuses: Set<Int> = [400], sourceLocation: SourceLocation = #_sourceLocation
) throws {
    try expectRefused(message, statuses, inBytes: false, sourceLocation)
    if message.count < 1_000 { try expectRefused(message, statuses, inBytes: true, sourceLocation) }
}

private func expectRefused(_ message: [UInt8], _ statuses: Set<Int>, inBytes: Bool, _ sourceLocation: SourceLocation) throws {
    let server = try Shared.server()
    let smuggled = Shared.freshIdentifier("smuggled")
    let callback = postBytes(sentPayload(smuggled))
    let connection = try server.connect()
    let bytes = replacingLength(message, callback.count)
    for piece in inBytes ? bytes.map({ [$0] }) : [bytes] { try connection.send(piece, toleratingClose: true) }
    try connection.send(callback + callback, toleratingClose: true)
    let shown = String(decoding: message.prefix(200), as: UTF8.self).debugDescription + (inBytes ? " byte by byte" : "")
    let answer = try connection.readAnswer()
    #expect(statuses.contains(answer.status), "\(answer.status) to \(shown)", sourceLocation: sourceLocation)
    #expect(answer.version == "HTTP/1.1", "\(shown)", sourceLocation: sourceLocation)
    #expect(answer.announcesClose, "\(shown)", sourceLocation: sourceLocation)
    // RFC 9110 §6.6.1: every 4xx has a Date.
    #expect(answer["Date"] != nil, "\(shown)", sourceLocation: sourceLocation)
    #expect(answer["Content-Type"] == "application/problem+json", "\(shown)", sourceLocation: sourceLocation)
    #expect(try connection.readToEnd() == [], "\(shown)", sourceLocation: sourceLocation)
    #expect(try server.status(of: smuggled).status == 404, "executed behind \(shown)", sourceLocation: sourceLocation)
}

/// As above, of a head without its last empty line.
func expectRefused(
    head: HeadTemplate, _ statuses: Set<Int> = [400], sourceLocation: SourceLocation = #_sourceLocation
) throws {
    try expectRefused(Array((head + "\r\n\r\n").utf8), statuses, sourceLocation: sourceLocation)
}

/// Sends a POST of a fresh callback, head by template (`$L` its length), and expects that it is stored and the
/// connection goes on: the neighbour of a refusal.
func expectTaken(head: HeadTemplate, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let server = try Shared.server()
    let identifier = Shared.freshIdentifier()
    let body = sentPayload(identifier)
    let connection = try server.connect()
    try connection.send(head.replacing("$L", with: "\(body.utf8.count)") + "\r\n\r\n" + body + "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    let answer = try connection.readAnswer()
    #expect(answer.status == 200, "\(answer.status) to \(head.debugDescription): \(answer.text)", sourceLocation: sourceLocation)
    #expect(try connection.readAnswer().status == 200, "after \(head.debugDescription)", sourceLocation: sourceLocation)
    #expect(try server.status(of: identifier).status == 200, sourceLocation: sourceLocation)
}

/// The bytes that are no `tchar` (RFC 9110 §5.6.2), so that no name may have them.
let bytesOutsideTokens: [UInt8] = (0...255 as ClosedRange<UInt8>).filter { byte in
    let isLetterOrDigit = (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    return !isLetterOrDigit && !"!#$%&'*+-.^_`|~".utf8.contains(byte)
}

/// The control bytes that no field value may have: all but HTAB (RFC 9110 §5.5).
let controlBytes: [UInt8] = (0...0x1F as ClosedRange<UInt8>).filter { $0 != 9 } + [0x7F]

private func replacingLength(_ message: [UInt8], _ length: Int) -> [UInt8] {
    guard let place = message.indices.dropLast().first(where: { message[$0] == UInt8(ascii: "$") && message[$0 + 1] == UInt8(ascii: "L") })
    else { return message }
    return message[..<place] + Array("\(length)".utf8) + message[(place + 2)...]
}
