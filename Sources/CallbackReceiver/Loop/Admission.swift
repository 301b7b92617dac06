// Whom a connection is from, and whether one more of theirs is taken.
//
//     accepted ─┬─ from elsewhere ─────────────────────────▶ counted │ beyondLimit
//               └─ from a trusted proxy ─┬─────────────────▶ uncounted: it carries everyone
//                                        └ awaitsHeader ─┬─▶ counted │ beyondLimit: the client that the header names
//                                                        └─▶ uncounted: it names nobody, or a trusted proxy
//
// Promises: a connection that is counted is counted once, until `release`, whatever the limit has become meanwhile. Safe
// from any thread.
// Must not know: descriptors, what those beyond the limit are told.

import HTTPWire
import Platform

/// Whom a connection is from.
struct Peer: Sendable, Equatable {
    enum Standing: Sendable {
        case counted, uncounted
        /// Its PROXY header has not come yet; nothing else of it is read.
        case awaitsHeader
        /// Its address has as many as it may: it is told so.
        case beyondLimit
    }

    /// The socket's peer; behind a PROXY header whom that names.
    let address: IPAddress
    let standing: Standing
}

struct Admission: Sendable {
    let proxies: TrustedProxies
    private let hasProxyHeaders: Bool
    /// nil where no limit is set: then nothing is counted.
    private let perAddressMax: Int?
    private let table: AddressTable

    /// - Parameter table: what was counted by other rules before stays counted there.
    init(_ configuration: ServerConfiguration, counting table: AddressTable = AddressTable()) {
        proxies = TrustedProxies(networks: configuration.trustedProxies)
        hasProxyHeaders = configuration.hasProxyHeaders
        perAddressMax = configuration.connectionsPerAddressMax
        self.table = table
    }

    /// A connection was accepted from this address.
    func admit(_ address: IPAddress) -> Peer {
        guard proxies.contains(address) else { return count(address) }
        return Peer(address: address, standing: hasProxyHeaders ? .awaitsHeader : .uncounted)
    }

    /// The PROXY header of `peer` has come, and names `source`. Nil: the proxy speaks for itself.
    func admit(named source: NodeAddress?, by peer: Peer) -> Peer {
        guard let source else { return Peer(address: peer.address, standing: .uncounted) }
        let address = IPAddress(source)
        return proxies.contains(address) ? Peer(address: address, standing: .uncounted) : count(address)
    }

    /// The same connections by other rules.
    func takingUp(_ configuration: ServerConfiguration) -> Admission { Admission(configuration, counting: table) }

    /// The connection was closed.
    func release(_ peer: Peer) {
        if peer.standing == .counted { table.release(peer.address) }
    }

    private func count(_ address: IPAddress) -> Peer {
        guard let perAddressMax else { return Peer(address: address, standing: .uncounted) }
        return Peer(address: address, standing: table.take(address, max: perAddressMax) ? .counted : .beyondLimit)
    }
}
