// What the outside world may rely on of announced requests, and what a request's records say of it, read a second time.
//
//     no announcement ──▶ pending ──overdue record──▶ overdue ──more time──▶ pending      any ──callback──▶ answered
//
// Promises: the state is a fold of the records that are there, by API.md §4 alone: the time runs from the first
// announcement, the newest says how long it is. Must not know: RequestHistory, Expectations, files, batches.

@testable import CallbackLog

/// A record as the door shows it, all of it.
struct ShownRecord {
    let sequence: UInt64
    let kind: RecordKind
    let receivedAt: Int64
    let members: String
}

extension OpenLog {
    /// The records of a request, oldest first.
    func history(_ identifier: String) throws(RecordReadFailure) -> [ShownRecord] {
        var reader = RecordReader()
        var shown: [ShownRecord] = []
        for location in try log.records(of: Array(identifier.utf8).span, using: &reader).reversed() {
            let record = try log.read(location, using: &reader)
            shown.append(
                ShownRecord(
                    sequence: record.sequence, kind: record.kind, receivedAt: record.receivedAt.milliseconds,
                    members: String(decoding: reader.bytes[record.payload], as: UTF8.self)))
        }
        return shown
    }
}

/// What the records of one request say, one added after the other.
struct ReferenceRequest {
    enum State: Equatable {
        case unannounced, answered, overdue
        /// Its time is up then, in milliseconds.
        case pending(until: Int64)
        var isOpen: Bool { if case .pending = self { true } else { self == .overdue } }
    }

    private(set) var announcedAt: Int64?
    private(set) var newestAnnouncement: UInt64?
    private(set) var hasCallback = false
    private var seconds: Int64 = 0
    private var foundOverdueAt = Int64.min

    mutating func add(_ record: ShownRecord) {
        switch record.kind {
        case .callback: hasCallback = true
        case .overdue: foundOverdueAt = record.receivedAt
        case .announcement:
            let said = Self.said(record.members)
            announcedAt = min(announcedAt ?? .max, said.announcedAt ?? record.receivedAt)
            seconds = said.seconds
            newestAnnouncement = record.sequence
        case .checkpoint, .unknown: break
        }
    }

    var state: State {
        if hasCallback { return .answered }
        guard let announcedAt else { return .unannounced }
        let until = announcedAt + seconds * 1_000
        return foundOverdueAt >= until ? .overdue : .pending(until: until)
    }

    /// The seconds of an announcement's members, what it says but for `announced_at`, and that.
    static func said(_ members: String) -> (seconds: Int64, content: String, announcedAt: Int64?) {
        let seconds = Int64(members.drop { !$0.isNumber }.prefix { $0.isNumber }) ?? 0
        guard let again = members.firstRange(of: ",\"announced_at\":\"") else { return (seconds, members, nil) }
        let time = Array(members[again.upperBound...].dropLast().utf8)
        return (seconds, String(members[..<again.lowerBound]), Timestamp(parsing: time.span)?.milliseconds)
    }
}

struct AnnouncedRequests {
    struct Announcement: Hashable, CustomStringConvertible {
        let identifier: String
        let members: String
        var description: String { "\(identifier) announced \(members)" }
    }
    /// Told to somebody, by sequence, as far as retention has left it.
    private(set) var told: [UInt64: Announcement] = [:]
    /// Handed over, whatever became of it.
    private(set) var handed: Set<Announcement> = []
    /// Requests that somebody was told are announced.
    private var expected: Set<String> = []
    /// When they were first, where nothing of them had been handed over before.
    private var announcedAt: [String: Int64] = [:]
    /// Requests of which a callback was handed over, whatever became of it.
    private(set) var called: Set<String> = []

    var isEmpty: Bool { handed.isEmpty }
    mutating func call(_ identifier: String) { called.insert(identifier) }
    mutating func lose(_ announcement: Announcement) { handed.insert(announcement) }
    mutating func retire(below floor: UInt64) { told = told.filter { $0.key >= floor } }

    /// Takes an answer in; says what is wrong with it. `now` is the time at which it was handed over, and `isAlone` says
    /// that nothing of its request had been before. With `mayRepeat` what was there could perhaps not be read.
    mutating func take(_ outcome: AppendOutcome?, of announcement: Announcement, at now: Int64, isAlone: Bool, mayRepeat: Bool) -> String? {
        let identifier = announcement.identifier
        switch outcome {
        case .announced(let sequence, let isFirst):
            if let known = told[sequence], known != announcement { return "\(sequence) is that of \(known), and now \(announcement)" }
            if isFirst, !mayRepeat, told.values.contains(where: { $0.identifier == identifier }) || expected.contains(identifier) && !called.contains(identifier) {
                return "\(identifier) was announced before, and is first now with \(sequence)"
            }
            if isAlone, !isFirst { return "\(identifier) was never announced before \(sequence)" }
            if isAlone { announcedAt[identifier] = now }
            told[sequence] = announcement
            expected.insert(identifier)
            return nil
        case .blocked, nil: return nil
        case .stored, .tooManyRecords, .tooManyAwaited, .superfluous: return "\(announcement): \(String(describing: outcome))"
        }
    }

    /// Says what is wrong with the records of a request, oldest first, where those below `floor` went.
    func faults(in records: [ShownRecord], of identifier: String, floor: UInt64) -> [String] {
        var faults: [String] = []
        var request = ReferenceRequest()
        var present: [UInt64: Announcement] = [:]
        for record in records {
            switch record.kind {
            case .announcement:
                let announcement = Announcement(identifier: identifier, members: ReferenceRequest.said(record.members).content)
                if !handed.contains(announcement) { faults.append("\(announcement) is invented") }
                if floor == 1, record.members != announcement.members { faults.append("\(record) is recorded again, and nothing went") }
                present[record.sequence] = announcement
            case .overdue:
                if request.hasCallback { faults.append("\(identifier) is overdue with \(record.sequence), behind a callback") }
                // What came before may have gone.
                if floor == 1, case .pending(let until) = request.state, until <= record.receivedAt { break }
                if floor == 1 { faults.append("\(identifier) is overdue with \(record.sequence) at \(record.receivedAt), and was \(request.state)") }
            default: break
            }
            request.add(record)
        }
        for (sequence, announcement) in told where announcement.identifier == identifier && present[sequence] != announcement {
            faults.append("\(announcement) was acknowledged as \(sequence) and is \(present[sequence].map { "\($0)" } ?? "gone")")
        }
        if expected.contains(identifier), !called.contains(identifier) {
            if !request.state.isOpen { faults.append("\(identifier) was announced, and is \(request.state)") }
            if let first = announcedAt[identifier], request.announcedAt != first {
                faults.append("\(identifier) was announced at \(first), and now \(String(describing: request.announcedAt))")
            }
        }
        return faults
    }

    /// Says what is wrong with what the log believes of requests whose records these are, once it has looked.
    func faults(of open: OpenLog, believing histories: [String: [ShownRecord]], floor: UInt64) -> [String] {
        let expectations = open.log.shared.published.withLock { $0.expectations }
        guard expectations.isWhole else { return ["which announcements are open is not known"] }
        var faults: [String] = []
        var openCount = 0
        var isCounted = true
        for (identifier, records) in histories.sorted(by: { $0.key < $1.key }) {
            let request = records.reduce(into: ReferenceRequest()) { $0.add($1) }
            guard let announcement = request.newestAnnouncement else { continue }
            // Whether a callback that went came first, the records cannot say.
            if floor > 1, called.contains(identifier), !request.hasCallback {
                isCounted = false
                continue
            }
            let standing = expectations.standing(of: announcement)
            let isRight = switch request.state {
            case .pending: standing == .pending
            case .overdue: standing == .overdue
            case .answered, .unannounced: standing == .notOpen
            }
            if request.state.isOpen { openCount += 1 }
            if !isRight { faults.append("\(identifier) is \(request.state) by its records, and \(standing)") }
            if case .pending(let until) = request.state, until <= open.clock.now, open.log.readiness(options: LogOptions()).block == nil {
                faults.append("\(identifier) was due at \(until), and it is \(open.clock.now)")
            }
        }
        if isCounted, expectations.count != openCount { faults.append("\(openCount) are open, and expected \(expectations.entries)") }
        return faults
    }
}
