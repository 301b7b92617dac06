// The address of a server that `status` and `follow` talk to: `http://HOST[:PORT]`, and nothing else.
//
// Promises: strict: no path, query or fragment, which would not be asked for, and no user or password, which belong into a
// file. What cannot be spoken here (https) is refused with what to do instead.
// Must not know: sockets, where it was configured.

import CallbackReceiver
import Platform

struct ServerURL: Sendable, Equatable {
    let address: SocketAddress

    /// RFC 9110 §4.2.1.
    private static let standardPort: UInt16 = 80
    private static let example = "write for example http://127.0.0.1:8080"

    /// As it is written; the port always.
    var text: String { "http://\(authority)" }

    /// For the field Host (RFC 9110 §7.2).
    var authority: String { address.text }

    init(_ address: SocketAddress) { self.address = address }

    init(parsing text: String) throws(Refusal) {
        guard let mark = text.firstRange(of: "://") else { throw Refusal("\(quoted(text)) is no URL; \(Self.example)") }
        let scheme = text[..<mark.lowerBound].lowercased()
        guard scheme != "https" else {
            throw Refusal("https is not spoken here; name the server's own address behind its proxy, \(Self.example), or one of a tunnel to it (ssh -L)")
        }
        guard scheme == "http" else { throw Refusal("\(quoted(text)) has another scheme than http; \(Self.example)") }
        var authority = String(text[mark.upperBound...])
        if authority.hasSuffix("/") { authority.removeLast() }
        guard !authority.contains("@") else { throw Refusal("has a user or password; write those into the file of client.token-file") }
        guard !authority.contains(where: { "/?#".contains($0) }) else { throw Refusal("has more than host and port; \(Self.example)") }
        if authority.hasSuffix("]") || !authority.contains(":") { authority += ":\(Self.standardPort)" }
        let listen = try Listen.address(authority)
        guard listen.port != 0 else { throw Refusal("has the port 0, which nothing listens on; \(Self.example)") }
        address = listen
    }

    /// The server of the same configuration; nil where that does not say which port it has.
    init?(listening listen: ServerConfiguration.Listen) {
        guard case .address(let address) = listen, address.port != 0 else { return nil }
        // Whoever listens everywhere listens on loopback, too.
        let host = address.host == "0.0.0.0" ? "127.0.0.1" : address.host == "::" ? "::1" : address.host
        self.address = SocketAddress(host: host, port: address.port)
    }
}
