// Who the client of a request is, where proxies stand between: for log lines and limits, never for access (Access.swift
// closes the open door on any forwarded request, trusted or not).
//
//     peer of the socket ─▶ its PROXY header ─▶ Forwarded, X-Forwarded-For
//            each step is believed only where the one before it is in server.trusted-proxies
//
// Promises: without trusted proxies, or from elsewhere, the client is the peer, whatever its request says.
// Must not know: how fields and headers are read (HTTPWire), connections.

import HTTPWire
import Platform

struct TrustedProxies: Sendable {
    /// At most `ServerConfiguration.trustedProxiesMax`.
    let networks: [IPNetwork]

    func contains(_ address: IPAddress) -> Bool {
        for network in networks where network.contains(address) { return true }
        return false
    }

    /// The address that `request` came from, over a connection from `peer`.
    func client(of request: borrowing Request, from peer: IPAddress) -> IPAddress {
        // Of a head that was not understood it is not certain what its fields are.
        guard request.isHeadComplete, contains(peer) else { return peer }
        return ForwardedFor.client(of: request) { contains(IPAddress($0)) }.map { IPAddress($0) } ?? peer
    }
}

extension IPAddress {
    /// Both have IPv4 where IPv6 maps it.
    init(_ node: NodeAddress) { self.init(high: node.high, low: node.low) }
}
