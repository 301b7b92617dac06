// Where to listen: `HOST:PORT`, read strictly, and which of them are loopback; or `systemd:NAME`.
//
// Promises: what is accepted is a literal IPv4 address in full, an IPv6 address in brackets, or a name of
// letters, digits, dots, dashes and underscores; so that nothing the C library would guess at (127.1, 0x7f.1)
// passes. `isLoopback` is true only where it is certain: what it does not know counts as beyond loopback.
// Must not know: sockets, name resolution.

import CallbackReceiver
import Platform

enum Listen {
    /// RFC 1035 §2.3.4: a name has at most 255 octets on the wire, 253 in text.
    static let hostBytesMax = 253

    /// systemd.socket(5): the longest name of a socket.
    static let socketNameBytesMax = 255

    private static let remedy = "write HOST:PORT, for example 127.0.0.1:8080 or [::1]:8080"

    static func parse(_ text: String) throws(Refusal) -> ServerConfiguration.Listen {
        guard text.hasPrefix(ServerConfiguration.Listen.handedPrefix) else { return .address(try address(text)) }
        let name = text.dropFirst(ServerConfiguration.Listen.handedPrefix.count)
        // As FileDescriptorName= has it (systemd.socket(5)).
        guard (1...socketNameBytesMax).contains(name.utf8.count), name.utf8.allSatisfy({ (0x20...0x7E).contains($0) && $0 != UInt8(ascii: ":") })
        else {
            throw Refusal("\(quoted(text)) names no socket of systemd; write for example systemd:callback, with FileDescriptorName=callback in the socket unit")
        }
        return .handed(name: String(name))
    }

    /// A host and a port.
    static func address(_ text: String) throws(Refusal) -> SocketAddress {
        guard let colon = text.lastIndex(of: ":") else { throw refusal(text) }
        let hostText = text[..<colon]
        guard let number = WholeNumber.parse(String(text[text.index(after: colon)...])) else { throw refusal(text) }
        guard let port = UInt16(exactly: number) else {
            throw Refusal("port \(number) is too large; the most is 65535, and 0 takes a free port")
        }
        if hostText.isEmpty { throw Refusal("names no host; \(remedy)") }
        if hostText.hasPrefix("["), hostText.hasSuffix("]") {
            let address = String(hostText.dropFirst().dropLast())
            guard address.contains(":"), IPAddress(address) != nil else { throw refusal(text) }
            return SocketAddress(host: address, port: port)
        }
        if hostText.contains(":") {
            throw Refusal("\(quoted(text)) has an IPv6 address without brackets; \(remedy)")
        }
        guard isName(hostText) else { throw refusal(text) }
        return SocketAddress(host: String(hostText), port: port)
    }

    /// 127.0.0.0/8, ::1 and `localhost` (RFC 6761 §6.3). A mapped address is none to listen on: not certain.
    static func isLoopback(_ host: String) -> Bool {
        if host.lowercased() == "localhost" { return true }
        guard let address = IPAddress(host), address.isIPv4 != host.contains(":") else { return false }
        return address.isLoopback
    }

    private static func refusal(_ text: String) -> Refusal { Refusal("\(quoted(text)) is no address; \(remedy)") }

    /// A name, or an IPv4 address in full. A last label of digits only makes it an address (RFC 1123 §2.1).
    private static func isName(_ host: Substring) -> Bool {
        guard host.utf8.count <= hostBytesMax else { return false }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        let wellFormed = labels.allSatisfy { label in
            !label.isEmpty && label.utf8.first != UInt8(ascii: "-")
                && label.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        }
        guard wellFormed, let last = labels.last else { return false }
        return isNumeric(last) ? IPAddress(String(host)) != nil : true
    }

    /// Digits, or hexadecimal after 0x: what the C library may take for a part of an IPv4 address.
    private static func isNumeric(_ label: Substring) -> Bool {
        label.utf8.allSatisfy(isDigit) || label.lowercased().hasPrefix("0x")
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x61...0x7A).contains(byte | 0x20)
    }
}
