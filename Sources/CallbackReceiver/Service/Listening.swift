// What a server listens on: addresses that it binds itself, and sockets that the service manager hands over.
//
// Promises: what cannot be listened on is an error that names the key and the remedy; a socket that was handed over is
// judged by the address that it is bound to: beyond loopback nobody may post without a proof, unless the configuration
// says so in so many words, however the socket came here.
// Must not know: loops, routes.

import Platform

/// What a listener serves. One listener serves both where the two addresses are the same.
struct ListenerRole: OptionSet, Sendable {
    let rawValue: UInt8
    static let callback = ListenerRole(rawValue: 1)
    static let api = ListenerRole(rawValue: 2)
}

/// A listener and what is served on it.
typealias ServedListener = (listener: Listener, role: ListenerRole)

/// Where a listener is bound, and what is served there.
struct ListeningPlace: Sendable {
    let address: SocketAddress
    let role: ListenerRole

    /// What is not understood counts as beyond.
    var isLoopback: Bool { IPAddress(address.host)?.isLoopback == true }
}

package enum Listening {
    /// The end of a sentence about an address where strangers could post.
    package static let unproved = """
        beyond loopback, and nothing proves who posts; set callback.keys (or callback.users, callback.signing-secrets), listen on \
        127.0.0.1 behind a proxy, or set callback.authentication to none: then anyone who reaches it may post callbacks
        """

    /// Listens on both addresses, or on one for both where they are the same.
    static func listen(_ configuration: ServerConfiguration, handed sockets: [ServiceEnvironment.HandedSocket]) throws(ServerFailure) -> [ServedListener] {
        var wanted: [(ServerConfiguration.Listen, ListenerRole, String)] = [(configuration.callbackListen, [.callback, .api], "--listen")]
        if configuration.apiListen != configuration.callbackListen {
            wanted = [(configuration.callbackListen, .callback, "callback.listen"), (configuration.apiListen, .api, "api.listen")]
        }
        var listeners: [ServedListener] = []
        for (listen, role, key) in wanted {
            switch listen {
            case .address(let address):
                do throws(SystemError) {
                    listeners += try Listener.listen(on: address).map { ($0, role) }
                } catch {
                    let remedy =
                        if error.isAddressInUse { "another program listens there; stop it, or choose another port with \(key)" }
                        else if error.isAddressFamilyRefused {
                            "the unit allows no socket but those of its socket units: write systemd:NAME, or add the drop-in listen-by-itself.conf"
                        } else { "check \(key)" }
                    throw ServerFailure(description: "cannot listen on \(address.text): \(error); \(remedy)")
                }
            case .handed(let name): listeners += try adopt(name, from: sockets, for: key).map { ($0, role) }
            }
        }
        try check(listeners.map { ListeningPlace(address: $0.listener.address, role: $0.role) }, configuration)
        return listeners
    }

    /// The names of sockets that nothing listens on, though they were handed over.
    static func unused(_ configuration: ServerConfiguration, of sockets: [ServiceEnvironment.HandedSocket]) -> [String] {
        let used = [configuration.callbackListen, configuration.apiListen]
        return Set(sockets.map(\.name)).filter { !used.contains(.handed(name: $0)) }.sorted()
    }

    /// Refuses what would let strangers post without a proof.
    static func check(_ places: [ListeningPlace], _ configuration: ServerConfiguration) throws(ServerFailure) {
        guard !configuration.callbackAuthenticationNone, !configuration.asksForProof else { return }
        for place in places where place.role.contains(.callback) && !place.isLoopback {
            throw ServerFailure(
                description: "callback.listen is bound to \(place.address.text), which is \(unproved)", isAboutConfiguration: true)
        }
    }

    /// True where the API can be reached from this machine alone.
    static func isOnLoopback(_ places: [ListeningPlace]) -> Bool { places.allSatisfy { !$0.role.contains(.api) || $0.isLoopback } }

    // MARK: handed over

    private static func adopt(_ name: String, from sockets: [ServiceEnvironment.HandedSocket], for key: String) throws(ServerFailure) -> [Listener] {
        let key = key == "--listen" ? "callback.listen" : key
        func refuse(_ text: String) -> ServerFailure {
            ServerFailure(description: "\(key): systemd:\(name) \(text)", isAboutConfiguration: true)
        }
        guard !sockets.isEmpty else {
            throw refuse(
                "is a socket of systemd, and none was handed over: the server was not started by systemd, or without its socket unit "
                    + "(Sockets= in the service, Service= in the socket); write HOST:PORT to listen without one")
        }
        let meant = sockets.filter { $0.name == name }
        guard !meant.isEmpty else {
            let names = Set(sockets.map(\.name)).sorted().map { "systemd:\($0)" }.joined(separator: ", ")
            throw refuse("is not there; systemd handed over \(names): write one of these, or FileDescriptorName=\(name) in the socket unit")
        }
        var listeners: [Listener] = []
        for socket in meant {
            do throws(HandedListenerFault) {
                listeners.append(try Listener.adopt(socket.descriptor))
            } catch {
                throw refuse(remedy(for: error))
            }
        }
        return listeners
    }

    private static func remedy(for fault: HandedListenerFault) -> String {
        switch fault {
        case .notASocket: "is no socket; write ListenStream= with an address in the socket unit"
        case .notAStream: "is no stream socket; write ListenStream= in the socket unit, not ListenDatagram="
        case .notListening: "does not listen: it is one connection; write Accept=no in the socket unit"
        case .notInternet: "is no TCP socket; write an address and a port, for example ListenStream=127.0.0.1:8080, in the socket unit"
        case .system(let error): "cannot be used: \(error)"
        }
    }
}

extension ServerConfiguration {
    /// Whether callbacks must prove where they are from.
    var asksForProof: Bool { !callbackKeys.isEmpty || !callbackUsers.isEmpty || !callbackSigningSecrets.isEmpty }
}
