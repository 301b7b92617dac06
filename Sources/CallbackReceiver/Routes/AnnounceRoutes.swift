// PUT /v1/requests/{request_id} (API.md §4): announcing a request that Crisp has just accepted.
//
// Promises: answered once the announcement is durable, as a callback is (invariant 1), with the request's state as it then
// is: 201 where it was not announced before, else 200. Must not know: connections, how an announcement joins a callback.

import CallbackLog
import CrispCallback
import HTTPWire

extension Router {
    static let notAnIdentifier =
        "The request_id in the path is none that a callback can have. It is 1 to \(CallbackBounds.requestIDBytesMax) visible ASCII characters, percent-encoded where need be."

    func announce(_ request: borrowing Request, requestID: [UInt8], into response: inout Response) -> Disposition {
        guard parameters(request, known: [], into: &response) != nil else { return .respond }
        guard 1...CallbackBounds.requestIDBytesMax ~= requestID.count, requestID.allSatisfy({ 0x21...0x7E ~= $0 }) else {
            Problem.fill(&response, status: 422, detail: Self.notAnIdentifier, for: request)
            return .respond
        }
        let announcement: Announcement
        do throws(AnnouncementRejection) {
            announcement = try Announcement(request.body.span, overdueAfterSeconds: overdueAfterSeconds)
        } catch {
            Problem.fill(&response, status: error.status, detail: error.detail, for: request)
            return .respond
        }
        var record = requestID
        AnnouncementMembers.append(
            overdueAfterSeconds: announcement.overdueAfterSeconds, reference: announcement.reference?.span, metadata: announcement.metadata.span,
            announcedAt: nil, to: &record)
        let path = Array(request.bytes(request.path))
        return .append(
            .announcement(
                PreparedAnnouncement(
                    record: record, requestID: 0..<requestID.count, members: requestID.count..<record.count, path: path,
                    answer: { [self] outcome, response in answer(requestID, path, outcome, into: &response) })))
    }

    private static let announcedUnread = """
        The announcement is stored, but a record of its request cannot be read back; the server's log names the file. Send it again in a \
        moment.
        """

    /// What is asked for the answer, where the announcement is durable.
    private func answer(_ requestID: [UInt8], _ path: [UInt8], _ outcome: AppendOutcome, into response: inout Response) -> Query? {
        switch outcome {
        case .announced(_, let isFirst):
            return Query(path: path) { scratch in
                var response = Response()
                self.fill(&response, with: requestID, path: path[...], using: &scratch.reader)
                if response.status == 200, isFirst { response.status = 201 }
                // The announcement is there, and what is damaged is being read anew: the same again is answered then.
                if response.status == 500 { Self.unavailable(Self.announcedUnread, Problem.indexingRetrySeconds, path[...], &response) }
                return response
            }
        case .blocked(let block):
            let detail = "The announcement was not stored: \(Health.publicText(block)) Send it again later."
            Self.unavailable(detail, Problem.blockedRetrySeconds, path[...], &response)
        case .tooManyRecords:
            let detail = "The announcement was not stored: its request_id has \(CallbackLog.recordsBeforeAnnouncementMax) records already; what is left is for callbacks."
            Problem.fill(&response, status: 422, detail: detail, instance: path[...])
        case .tooManyAwaited:
            let detail = """
                The announcement was not stored: \(CallbackLog.awaitedMax) requests await their callback already. Look why none comes \
                (GET /v1/requests?status=overdue), and announce it again once some have.
                """
            Self.unavailable(detail, Problem.blockedRetrySeconds, path[...], &response)
        case .stored, .superfluous: preconditionFailure("an announcement is neither a callback nor overdue")
        }
        return nil
    }
}
