// What a loop's waits and streams have in common: they follow the log, and are asked in batches off the loop.
//
//     records arrive ──▶ advance ──▶ in line ──askOn──▶ query queue ──▶ answers
//
// Promises: while nothing follows, records cost nothing here. One batch of a lane is under way, whatever arrives: what comes
// meanwhile makes the next one larger, not more of them. Must not know: what is asked, how answers look.

import HTTPWire

extension Loop {
    /// One more waits for records, or follows them: from now on the loop is told.
    mutating func beginFollowing() {
        followingCount += 1
        guard followingCount == 1 else { return }
        handle.advances.want(true)
        context.router.log.interest.add()
    }

    mutating func endFollowing() {
        followingCount -= 1
        guard followingCount == 0 else { return }
        handle.advances.want(false)
        context.router.log.interest.remove()
    }

    /// Records have arrived.
    mutating func advance() {
        advanceCount &+= 1
        askWaits(for: handle.advances.take())
        askParkedStreams()
    }

    /// After the events of a turn: asks those who are next. A batch of which nobody is there any more is passed over: nothing
    /// would come back that those behind it are asked after.
    mutating func askOn() {
        for lane in AskingLane.allCases {
            while true {
                let batch = lane == .following ? followingLine.takeBatch() : exportingLine.takeBatch()
                if batch.isEmpty || ask(batch, lane) { break }
                endBatch(lane)
            }
        }
    }

    private mutating func endBatch(_ lane: AskingLane) {
        if lane == .following { followingLine.batchEnded() } else { exportingLine.batchEnded() }
    }

    /// False where nobody of the batch is there any more.
    private mutating func ask(_ tickets: ArraySlice<UInt64>, _ lane: AskingLane) -> Bool {
        var asks: [Ask] = []
        for ticket in tickets {
            switch deferrals[ticket]?.awaited {
            case .wait(let wait):
                asks.append(.wait(ticket: ticket, answer: wait.answer))
            case .stream(let open):
                guard let source = open.source.take() else { continue }
                open.advanceCount = advanceCount
                asks.append(.pull(ticket: ticket, source: source))
            default: continue
            }
        }
        guard !asks.isEmpty else { return false }
        let handle = handle
        let batch = asks
        let isTaken = context.following.queue(of: lane).run { scratch in
            var answers: [Asked] = []
            for ask in batch { answers.append(ask.answer(using: &scratch)) }
            handle.post(.asked(answers, lane))
        }
        precondition(isTaken, "each loop has one batch of a lane under way, and there are fewer loops than a queue takes")
        return true
    }

    /// A batch has come back.
    mutating func answer(_ answers: [Asked], of lane: AskingLane) {
        endBatch(lane)
        for answer in answers {
            switch answer {
            case .wait(let ticket, let answer): self.answer(ticket, by: answer)
            case .pull(let ticket, let source, let piece): self.answer(ticket, by: source, piece)
            }
        }
    }

    // MARK: ends

    /// A token was revoked, or the first one created, or the API asks for one from now on: whoever follows asks again, where everybody's credentials are looked at.
    /// A client of an event stream does so by itself, and goes on where it was.
    mutating func endFollowers() {
        for slot in slots.indices {
            if let connection = slots[slot] { drainDeferred(connection) }
        }
    }

    /// The server stops, say: waits are answered with what is known, event streams end. An export goes on: it has an end.
    mutating func drainDeferred(_ connection: Connection) {
        for ticket in connection.deferred.values {
            switch deferrals[ticket]?.awaited {
            case .wait(let wait): askLast(wait, ticket)
            case .stream(let open) where open.kind == .events: endContent(ticket, isWhole: true)
            default: break
            }
        }
    }

    /// The peer sends no more. It may be gone, or only have said all it had to say, and the two look alike (RFC 9112 §9.6):
    /// a wait is answered with what is known, an idle event stream is written to, and a peer that is gone shows by that.
    mutating func notePeerEnd(_ connection: Connection) {
        guard !connection.isPeerEndNoted else { return }
        connection.isPeerEndNoted = true
        for ticket in connection.deferred.values {
            guard let deferral = deferrals[ticket] else { continue }
            switch deferral.awaited {
            case .wait(let wait): askLast(wait, ticket)
            case .stream(let open) where open.kind == .events: comment(open, ticket, deferral)
            default: break
            }
        }
    }
}
