// GET /v1/statistics (API.md §4): requests by their present status and failure class over time, for plots; and the failure
// texts that no rule knows.
//
// Promises: counted in the indexes, without reading records; only what an announcement leaves open is told apart one by one,
// and the newest unknown failures are read. Bounded in buckets, texts and work.
// Must not know: connections, how states are kept.

import CallbackLog
import CrispCallback
import HTTPWire

extension Router {
    /// Buckets with anything in them: a week of minutes, a year of hours.
    static let bucketsMax = 10_000
    static let tooManyBuckets =
        "There are more than \(bucketsMax) intervals with anything in them. Ask for a longer interval (hour, day), or for less time (since, until)."

    func statistics(_ request: borrowing Request, into response: inout Response) -> Disposition {
        guard let parameters = parameters(request, known: [.since, .until, .interval], into: &response) else { return .respond }
        let path = Array(request.bytes(request.path))
        return .query(
            Query(path: path) { [self] scratch in
                var response = Response()
                do throws(RequestStateFailure) {
                    begin(&response)
                    if try !appendStatistics(parameters, to: &response.body, using: &scratch.reader) {
                        Problem.fill(&response, status: 400, detail: Self.tooManyBuckets, instance: path[...])
                    }
                } catch {
                    fail(error, &response, path[...])
                }
                return response
            })
    }

    /// False where there are too many buckets.
    private func appendStatistics(_ parameters: Parameters, to body: inout [UInt8], using reader: inout RecordReader) throws(RequestStateFailure) -> Bool {
        let position = log.durable
        var tally = StateTally(
            asOf: position, since: parameters.filter.since, until: parameters.filter.until,
            intervalMilliseconds: parameters.interval.milliseconds, bucketsMax: Self.bucketsMax)
        try finish(&tally, using: &reader)
        guard !tally.hasTooManyBuckets else { return false }
        body.append("{\"interval\":\"")
        body.append(contentsOf: parameters.interval.rawValue.utf8)
        body.append("\",\"buckets\":[")
        for (index, bucket) in tally.buckets.enumerated() {
            body.append(index == 0 ? "{\"start\":" : ",{\"start\":")
            append(bucket, to: &body)
        }
        body.append("],\"unknown\":")
        try appendUnknown(parameters, asOf: position, to: &body, using: &reader)
        body.append(",\"announced_open\":")
        body.append(decimal: UInt64(log.openAnnouncements))
        body.append("}")
        return true
    }

    private func finish(_ tally: inout StateTally, using reader: inout RecordReader) throws(RequestStateFailure) {
        do throws(RecordReadFailure) {
            while !tally.isFinished { try tally.next(log, workMax: RequestWalk.workMax, using: &reader) }
        } catch {
            throw .record(error)
        }
    }

    private func append(_ bucket: StateTally.Bucket, to body: inout [UInt8]) {
        body.append(jsonString: bucket.start)
        for status in RequestStatus.allCases {
            body.append(",\"")
            body.append(contentsOf: status.name.utf8)
            body.append("\":")
            body.append(decimal: UInt64(bucket.counts.statuses[Int(status.rawValue)]))
        }
        body.append(",\"classes\":{")
        var isFirst = true
        for failureClass in FailureClass.allCases {
            let count = bucket.counts.failureClasses[Int(failureClass.rawValue)]
            guard count > 0 else { continue }
            body.append(isFirst ? "\"" : ",\"")
            body.append(contentsOf: failureClass.name.utf8)
            body.append("\":")
            body.append(decimal: UInt64(count))
            isFirst = false
        }
        body.append("}}")
    }

    /// The texts of the newest failures that no rule knows.
    private func appendUnknown(
        _ parameters: Parameters, asOf position: UInt64, to body: inout [UInt8], using reader: inout RecordReader
    ) throws(RequestStateFailure) {
        var filters = parameters.filter
        filters.failureClass = .unknown
        var walk = RequestWalk(log, filters, asOf: position, isNewestFirst: true)
        var work = UnknownTexts.workMax
        var texts = UnknownTexts()
        var token: [UInt8] = []
        while let found = try walk.next(work: &work, using: &reader) {
            guard let reading = found.state.reading else { continue }
            token.removeAll(keepingCapacity: true)
            reading.appendFailureMessage(from: reader.bytes.span.extracting(found.payload), to: &token)
            texts.note(token, at: found.state.updatedAt)
        }
        texts.append(to: &body)
    }
}

extension StatisticsInterval {
    var milliseconds: Int64 {
        switch self {
        case .minute: 60_000
        case .hour: 3_600_000
        case .day: 86_400_000
        }
    }
}
