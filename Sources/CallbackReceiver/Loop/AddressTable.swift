// How many connections each client address has open, over all loops, for `server.connections-per-address-max`.
//
// IPv6 is counted by /64: that much every subscriber has, with 2^64 addresses in it to come from (RFC 6177), so one
// counted by the address would have no limit at all. IPv4 by the address.
//
// Promises: safe from any thread; held for a look-up only, never across a system call. Has an entry for each address
// that has a connection and none for others, so connections' own bound is its bound (invariant 7).
// Must not know: who is exempt, what is told to those beyond the limit.

import Platform
import Synchronization

final class AddressTable: Sendable {
    private let counts = Mutex<[IPNetwork: Int]>([:])

    /// Counts one more connection of `address`, which may have `max`. False where it has as many, and then nothing is counted.
    func take(_ address: IPAddress, max: Int) -> Bool {
        let key = IPNetwork(subscriberOf: address)
        return counts.withLock { counts in
            let count = counts[key, default: 0]
            guard count < max else { return false }
            counts[key] = count + 1
            return true
        }
    }

    /// A connection that `take` counted was closed.
    func release(_ address: IPAddress) {
        let key = IPNetwork(subscriberOf: address)
        counts.withLock { counts in
            let count = counts[key] ?? 0
            precondition(count > 0, "a connection is released as often as it was taken")
            counts[key] = count == 1 ? nil : count - 1
        }
    }

    /// How many addresses have a connection.
    var addressCount: Int { counts.withLock(\.count) }
}
