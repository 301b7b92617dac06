// When a connection's patience ends, for all connections of a loop.
//
// Callbacks that wait for the log have a time of their own (Exchanges). Every kind of deadline lasts equally long for all, so whoever begins last ends last: one list for each
// kind, appended at the end, is always in order. Setting, clearing and finding the next are O(1); lists are
// links between connection slots, so nothing is allocated.
//
//     idle         between requests, and before the first byte of a connection's first
//     head, body   from the first byte of a head to its end; from there to the end of the body
//     rest         what is kept of a body that is too large
//     streams      an HTTP/2 connection has open streams: it is looked over, then again (LoopHTTP2)
//     write        an answer waits for the peer to read on; begins anew where it took enough meanwhile
//     linger       answered, closed by us; waits for the peer to close too
//     drain        idle while the server stops: time for a request that was on its way
//
// Must not know: what a slot is, or what happens when time is up.

enum Deadline: Int, CaseIterable, Sendable {
    case idle, head, body, rest, streams, write, linger, drain
}

struct Deadlines {
    /// Who sends a body that is too large sends it at once, or learns of its refusal a moment later.
    static let restSeconds = 2
    /// How often an HTTP/2 connection with open streams is looked over: what its streams may take is kept to within this.
    static let streamsSeconds = 1
    /// A peer that takes less than `writeBytesMin` of its answers in this time is gone, or does harm.
    static let writeSeconds = 30
    /// 16 KiB in `writeSeconds` is a tenth of what the slowest mobile network carries; a whole answer is less, mostly.
    static let writeBytesMin = 16 * 1_024
    /// Time for a peer to read our last answer and close, before we do (RFC 9112 §9.6).
    static let lingerSeconds = 2
    /// A stop waits so long on an idle connection, in case a request was on its way.
    static let drainSeconds = 2

    private struct Link {
        var previous: Int32 = -1
        var next: Int32 = -1
        var kind: Int8 = -1
        var at: Int64 = 0
    }

    private var links: [Link] = []
    private var firsts = InlineArray<8, Int32>(repeating: -1)
    private var lasts = InlineArray<8, Int32>(repeating: -1)
    private var milliseconds = InlineArray<8, Int64>(repeating: 0)

    init(idleSeconds: Int, headSeconds: Int, bodySeconds: Int) {
        let seconds = [
            idleSeconds, headSeconds, bodySeconds, Self.restSeconds, Self.streamsSeconds, Self.writeSeconds, Self.lingerSeconds, Self.drainSeconds,
        ]
        for kind in Deadline.allCases { milliseconds[kind.rawValue] = Int64(seconds[kind.rawValue]) * 1_000 }
    }

    /// From now on these last so long, those that run already too: all of a kind last equally long, or its list would be
    /// in no order.
    mutating func takeUp(idleSeconds: Int, headSeconds: Int, bodySeconds: Int) {
        for (kind, seconds) in [(Deadline.idle, idleSeconds), (.head, headSeconds), (.body, bodySeconds)] {
            let difference = Int64(seconds) * 1_000 - milliseconds[kind.rawValue]
            guard difference != 0 else { continue }
            milliseconds[kind.rawValue] += difference
            var slot = firsts[kind.rawValue]
            while slot >= 0 {
                links[Int(slot)].at += difference
                slot = links[Int(slot)].next
            }
        }
    }

    /// The kind that `slot` has now.
    func kind(of slot: Int) -> Deadline? {
        slot < links.count ? Deadline(rawValue: Int(links[slot].kind)) : nil
    }

    /// `slot` has until `now` plus the kind's time, whatever it had before.
    mutating func set(_ kind: Deadline, for slot: Int, now: Int64) {
        while links.count <= slot { links.append(Link()) }
        clear(slot)
        let list = kind.rawValue
        links[slot] = Link(previous: lasts[list], next: -1, kind: Int8(list), at: now + milliseconds[list])
        if lasts[list] >= 0 { links[Int(lasts[list])].next = Int32(slot) } else { firsts[list] = Int32(slot) }
        lasts[list] = Int32(slot)
    }

    /// An exchange begins: what `slot` waited for has come, and it has its time anew with the next `set`. A
    /// connection that rested only a moment rests on, since moving it within its list touches two others: it
    /// closes at most a 64th of the idle time early.
    mutating func renew(_ slot: Int, now: Int64) {
        let idle = milliseconds[Deadline.idle.rawValue]
        if kind(of: slot) == .idle, links[slot].at - now > idle - idle / 64 { return }
        clear(slot)
    }

    mutating func clear(_ slot: Int) {
        guard slot < links.count, links[slot].kind >= 0 else { return }
        let link = links[slot]
        let list = Int(link.kind)
        if link.previous >= 0 { links[Int(link.previous)].next = link.next } else { firsts[list] = link.next }
        if link.next >= 0 { links[Int(link.next)].previous = link.previous } else { lasts[list] = link.previous }
        links[slot] = Link()
    }

    /// The slot that has waited longest with this kind.
    func oldest(_ kind: Deadline) -> Int? {
        firsts[kind.rawValue] < 0 ? nil : Int(firsts[kind.rawValue])
    }

    /// The slot that has waited longest after `slot`, with its kind.
    func next(after slot: Int) -> Int? {
        links[slot].next < 0 ? nil : Int(links[slot].next)
    }

    /// When the deadline of `slot` was set; nil where it has none.
    func began(_ slot: Int) -> Int64? {
        kind(of: slot).map { links[slot].at - milliseconds[$0.rawValue] }
    }

    /// A slot whose time is up, cleared; nil where there is none.
    mutating func takeExpired(now: Int64) -> (slot: Int, kind: Deadline)? {
        for kind in Deadline.allCases {
            if let slot = oldest(kind), links[slot].at <= now {
                clear(slot)
                return (slot, kind)
            }
        }
        return nil
    }

    /// Milliseconds until the next is up; nil where nothing waits.
    func milliseconds(untilNextFrom now: Int64) -> Int64? {
        var earliest: Int64?
        for kind in Deadline.allCases {
            if let slot = oldest(kind) { earliest = min(earliest ?? .max, links[slot].at) }
        }
        return earliest.map { max(0, $0 - now) }
    }
}
