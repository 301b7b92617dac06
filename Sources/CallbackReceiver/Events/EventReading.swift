// The events behind a position, read from the log as far as it is durable.
//
// Promises: one event for each record, in the order of the log, none skipped without a gap that says so: what was lost to
// damage, cannot be read back, or is of a kind that this version does not know. Between calls it keeps a position and no
// buffer, so that a listener who takes nothing costs next to nothing.
// Must not know: who listens, how fast.

import CallbackLog
import CrispCallback

struct EventReading {
    /// Records that are looked at in one go and may be no events: a repaired log can have millions of these in a row.
    static let passedOverMax = 1_024

    let log: CallbackLog
    private let logID: String
    /// The sequence of the next record wanted.
    private var next: UInt64
    /// Behind this position something is not there, and that has not been told yet.
    private var gapBehind: [UInt8]?

    init(_ log: CallbackLog, logID: String, from position: EventPosition) {
        self.log = log
        self.logID = logID
        next = position.next
        gapBehind = position.gapBehind
    }

    /// Appends events until there are at least `bytesMax` of them, or no more, or too many records are none. A gap is
    /// told before it is done, so that nothing is appended only where there is nothing.
    mutating func append(
        bytesMax: Int, to output: inout [UInt8], using reader: inout RecordReader, _ cache: inout EventCache
    ) throws(RecordReadFailure) {
        let start = output.count
        var passedOver = 0
        while output.count - start < bytesMax {
            guard passedOver < Self.passedOverMax else { return tellGap(to: &output) }
            if gapBehind == nil, cache.append(next, to: &output) {
                next += 1
                continue
            }
            guard let location = try log.record(atOrAfter: next, using: &reader) else { return tellGap(to: &output) }
            if location.sequence > next { passOver(to: location.sequence) }
            let count = output.count
            let gap = gapBehind
            tellGap(to: &output)
            let event = output.count
            guard try appendEvent(of: location, to: &output, using: &reader) else {
                output.removeSubrange(count...)
                gapBehind = gap
                passOver(to: location.sequence + 1)
                passedOver += 1
                continue
            }
            cache.keep(location.sequence, output[event...])
            next = location.sequence + 1
        }
    }

    /// What is before `sequence` is not there.
    private mutating func passOver(to sequence: UInt64) {
        if gapBehind == nil {
            var position: [UInt8] = []
            EventID.append(logID, next - 1, to: &position)
            gapBehind = position
        }
        next = sequence
    }

    private mutating func tellGap(to output: inout [UInt8]) {
        guard let position = gapBehind else { return }
        EventText.appendGap(logID: logID, after: position, next: next, to: &output)
        gapBehind = nil
    }

    /// False where there is no event of it.
    private func appendEvent(of location: RecordLocation, to output: inout [UInt8], using reader: inout RecordReader) throws(RecordReadFailure) -> Bool {
        guard location.kind != .unknown else { return false }
        var requestID: [UInt8] = []
        do throws(RequestStateFailure) {
            guard let found = try log.find(at: location, asOf: location.sequence, requestID: &requestID, using: &reader) else { return false }
            EventText.append(logID: logID, sequence: location.sequence, status: found.status, to: &output) { output in
                StatusAnswer.append(
                    requestID: requestID.span, found.state, status: found.status, payload: reader.bytes.span.extracting(found.payload), to: &output)
            }
            return true
        } catch {
            // What is damaged stays so. The index, or the disk, may answer the next time.
            switch error {
            case .payload, .record(.damaged): return false
            case .record(let failure): throw failure
            }
        }
    }
}
