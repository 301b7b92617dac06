// The exchanges of a loop that are answered later by something else than the log's word on a record.
//
//     begin ──▶ deferred ──take, by ticket──▶ gone
//                   └──── its time is up: takeDue says so, once ────▶ deferred until it is taken
//
// Promises: a ticket names one exchange for ever, never a connection or a descriptor (DESIGN.md §6): its place, and how
// often that has been given. Finding is O(1); what has a time stands in a heap, once. Owned by its loop.
// Must not know: connections, what an answer says.

import HTTPWire
import Platform

/// An exchange that is answered later.
struct Deferral {
    enum Awaited {
        /// The answer of this lane's query queue.
        case query(QueryLane)
        /// That the body it refuses is kept; this is the refusal.
        case kept(Response)
        case wait(ParkedWait)
        case stream(OpenStream)
    }

    /// The connection's epoll token: slot and generation.
    let token: UInt64
    /// The HTTP/2 stream; 0 for HTTP/1.1.
    let stream: Int32
    /// For a log line: by then the request is gone.
    let client: IPAddress
    /// For a problem's `instance`.
    let path: [UInt8]
    let awaited: Awaited
    /// To count its answer by.
    var measure = Measure()
}

struct Deferrals {
    /// The most refusals, questions, waits and streams of one loop. The last three have bounds of their own, which are less.
    static let countMax = 32_768
    /// Places that a loop without any keeps.
    private static let restingPlacesMax = 64

    private struct Place {
        /// How often it was given.
        var generation: UInt32 = 0
        /// Where it stands in `heap`; -1 where it has no time.
        var order = -1
        var at: Int64 = 0
        var deferral: Deferral?
    }

    private var places: [Place] = []
    private var freePlaces: [Int] = []
    /// Numbers of places: none is due before the one that stands at half its index (a binary heap).
    private var heap: [Int] = []
    /// Given to every place that is made, so that none of those that were given back is taken for it.
    private var generation: UInt32 = 0

    /// How many there are.
    var count: Int { places.count - freePlaces.count }

    /// - Parameter at: when its time is up, in the loop's milliseconds.
    /// - Returns: its ticket.
    mutating func begin(_ deferral: Deferral, until at: Int64) -> UInt64 {
        let number = freePlaces.popLast() ?? places.count
        if number == places.count { places.append(Place(generation: generation)) }
        places[number].generation &+= 1
        places[number].deferral = deferral
        setTime(number, at)
        return UInt64(places[number].generation) << 32 | UInt64(number)
    }

    /// The exchange of this ticket; nil where it has left.
    subscript(ticket: UInt64) -> Deferral? { number(of: ticket).flatMap { places[$0].deferral } }

    /// The exchange of this ticket, which leaves; nil where it has left already.
    mutating func take(_ ticket: UInt64) -> Deferral? {
        guard let number = number(of: ticket), let deferral = places[number].deferral.take() else { return nil }
        leaveHeap(number)
        freePlaces.append(number)
        if count == 0, places.count > Self.restingPlacesMax { giveBack() }
        return deferral
    }

    // MARK: time

    /// When the next one's time is up; nil where none has one.
    var dueAt: Int64? { heap.first.map { places[$0].at } }

    /// The ticket of one whose time is up, which has none any more; nil where there is none.
    mutating func takeDue(now: Int64) -> UInt64? {
        guard let number = heap.first, places[number].at <= now else { return nil }
        leaveHeap(number)
        return UInt64(places[number].generation) << 32 | UInt64(number)
    }

    /// The exchange of this ticket has until `at`, whatever it had before.
    mutating func setTime(of ticket: UInt64, _ at: Int64) {
        if let number = number(of: ticket) { setTime(number, at) }
    }

    private mutating func setTime(_ number: Int, _ at: Int64) {
        places[number].at = at
        if places[number].order < 0 {
            places[number].order = heap.count
            heap.append(number)
        }
        settle(places[number].order)
    }

    private mutating func leaveHeap(_ number: Int) {
        let order = places[number].order
        guard order >= 0, let last = heap.popLast() else { return }
        places[number].order = -1
        guard last != number else { return }
        put(last, at: order)
        settle(order)
    }

    /// Moves what stands at `order` to where it belongs.
    private mutating func settle(_ order: Int) {
        let number = heap[order]
        var order = order
        while order > 0, places[number].at < places[heap[(order - 1) / 2]].at {
            put(heap[(order - 1) / 2], at: order)
            order = (order - 1) / 2
        }
        while let child = earlierChild(of: order), places[heap[child]].at < places[number].at {
            put(heap[child], at: order)
            order = child
        }
        put(number, at: order)
    }

    private func earlierChild(of order: Int) -> Int? {
        let left = 2 * order + 1
        guard left < heap.count else { return nil }
        guard left + 1 < heap.count, places[heap[left + 1]].at < places[heap[left]].at else { return left }
        return left + 1
    }

    private mutating func put(_ number: Int, at order: Int) {
        heap[order] = number
        places[number].order = order
    }

    // MARK: places

    private func number(of ticket: UInt64) -> Int? {
        let number = Int(truncatingIfNeeded: ticket & 0xFFFF_FFFF)
        guard number < places.count, places[number].generation == UInt32(ticket >> 32), places[number].deferral != nil else { return nil }
        return number
    }

    /// What many at once took.
    private mutating func giveBack() {
        generation = places.map(\.generation).max() ?? generation
        places = []
        freePlaces = []
        heap = []
    }
}
