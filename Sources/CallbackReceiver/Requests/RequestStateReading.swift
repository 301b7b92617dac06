// A request's state from its records in the log.
//
// Promises: of a request's up to 1,000 records, which the look-up has verified, only those are read once more that can matter:
// the announcements, the newest overdue record, the newest callback. What comes of it is durable (invariant 2).
// Must not know: who asks.

import CallbackLog
import CrispCallback

/// Why a state is not known.
enum RequestStateFailure: Error {
    case record(RecordReadFailure)
    /// The present decoder refuses a payload that was stored.
    case payload
}

/// A state, and where in the reader's bytes the newest callback's payload stands; empty where there is none.
struct FoundRequest {
    let state: RequestState
    let status: RequestStatus
    let payload: Range<Int>
}

extension CallbackLog {
    /// What is known of a request, as of the record at `position`; nil where that is nothing. The reader holds the
    /// newest callback until it is used again.
    func find(
        _ requestID: Span<UInt8>, asOf position: UInt64 = .max, using reader: inout RecordReader
    ) throws(RequestStateFailure) -> FoundRequest? {
        let records: [RecordLocation]
        do throws(RecordReadFailure) {
            records = try self.records(of: requestID, using: &reader)
        } catch {
            throw .record(error)
        }
        return try find(in: records[...].drop { $0.sequence > position }, using: &reader)
    }

    /// The same of the request that the record at `location` is of, whose request_id it gives, unescaped.
    func find(
        at location: RecordLocation, asOf position: UInt64, requestID: inout [UInt8], using reader: inout RecordReader
    ) throws(RequestStateFailure) -> FoundRequest? {
        let record = try get(location, using: &reader)
        requestID.removeAll(keepingCapacity: true)
        record.appendRequestID(of: reader.bytes.span, to: &requestID)
        return try find(requestID.span, asOf: position, using: &reader)
    }

    /// The same, of a request's records, newest first.
    private func find(in records: ArraySlice<RecordLocation>, using reader: inout RecordReader) throws(RequestStateFailure) -> FoundRequest? {
        // Records of kinds that this version does not know are kept, and say nothing.
        guard let newest = records.first(where: { $0.kind != .unknown }) else { return nil }
        var state = RequestState()
        for announcement in records.reversed() where announcement.kind == .announcement {
            let record = try get(announcement, using: &reader)
            state.noteAnnouncement(at: record.receivedAt, members: reader.bytes.span.extracting(record.payload))
        }
        let callback = records.first { $0.kind == .callback }
        if callback == nil, let overdue = records.first(where: { $0.kind == .overdue }) {
            state.noteOverdue(at: try get(overdue, using: &reader).receivedAt)
        }
        if newest.sequence != callback?.sequence { state.noteNewest(newest.sequence, at: try get(newest, using: &reader).receivedAt) }
        var payload = 0..<0
        if let callback {
            let record = try get(callback, using: &reader)
            payload = record.payload
            state.count(callbacks: records.count { $0.kind == .callback } - 1)
            do throws(CallbackRejection) {
                try state.noteCallback(at: record.receivedAt, payload: reader.bytes.span.extracting(payload))
            } catch {
                throw .payload
            }
            if newest.sequence == callback.sequence { state.noteNewest(newest.sequence, at: record.receivedAt) }
        }
        return state.status.map { FoundRequest(state: state, status: $0, payload: payload) }
    }

    private func get(_ location: RecordLocation, using reader: inout RecordReader) throws(RequestStateFailure) -> StoredRecord {
        do throws(RecordReadFailure) {
            return try read(location, using: &reader)
        } catch {
            throw .record(error)
        }
    }
}
