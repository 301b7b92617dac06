// How many wrong credentials came from each client address lately.
//
// A bucket for each address holds `burstMax` and gets one back each `refillMilliseconds`. It is kept as one number, the
// moment at which it will be full again, so that a bucket nobody draws from need not be kept at all. IPv6 counts by /64, as
// connections do (AddressTable).
//
// Promises: safe from any thread; a short lock, never across a system call. At most `addressesMax` addresses are kept
// (invariant 7): while there are so many, all others draw from one bucket. Asked about wrong credentials only, so that
// right ones never depend on it.
// Must not know: credentials, what is answered.

import Platform
import Synchronization

final class WrongCredentials: Sendable {
    /// So many at once: a program that is restarted with an old key does not go over it, a search for keys does.
    static let burstMax: Int64 = 100
    /// One more each second.
    static let refillMilliseconds: Int64 = 1_000
    /// A megabyte of addresses.
    static let addressesMax = 16_384
    /// Looking for buckets that are full again takes a while: not for each request of a flood.
    static let sweepMilliseconds: Int64 = 1_000

    private struct State {
        /// When the bucket of an address is full again.
        var fullAt: [IPNetwork: Int64] = [:]
        /// The same, of all those for whom there was no room.
        var othersFullAt = Int64.min
        var sweptAt = Int64.min
    }
    private let state = Mutex(State())

    /// Counts wrong credentials from `address`.
    /// - Returns: nil where there is room for them, else the seconds until there will be.
    func count(_ address: IPAddress, now: Int64) -> Int? {
        let key = IPNetwork(subscriberOf: address)
        return state.withLock { state in
            if state.fullAt[key] == nil, state.fullAt.count >= Self.addressesMax {
                if state.sweptAt &+ Self.sweepMilliseconds <= now {
                    state.sweptAt = now
                    state.fullAt = state.fullAt.filter { $0.value > now }
                }
                if state.fullAt.count >= Self.addressesMax { return Self.draw(&state.othersFullAt, now: now) }
            }
            return Self.draw(&state.fullAt[key, default: .min], now: now)
        }
    }

    /// How many addresses are kept.
    var addressCount: Int { state.withLock(\.fullAt.count) }

    private static func draw(_ fullAt: inout Int64, now: Int64) -> Int? {
        let next = max(fullAt, now) + refillMilliseconds
        let missing = next - now - burstMax * refillMilliseconds
        guard missing > 0 else {
            fullAt = next
            return nil
        }
        return Int((missing + 999) / 1_000)
    }
}
