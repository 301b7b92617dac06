// What the log has to tell the operator, as log lines.
//
// Promises: one line an event, with file and offset where there are any, and what to do. No payload, no
// request_id (invariant 9). Must not know: how lines are written.

import CallbackLog
import Logging

package enum LogNotices {
    static func say(_ event: LogNotice, to logger: Logger) {
        switch event {
        case .writeFailed(let text):
            logger.error("writing the log failed; trying once more in a fresh segment", metadata: ["error": "\(text)"])
        case .segmentBegun(let name):
            logger.info("a new segment begins", metadata: ["segment": "\(name)"])
        case .blocked(let block):
            logger.critical("callbacks are refused with 503 until this is mended", metadata: ["reason": "\(block)"])
        case .unblocked:
            logger.notice("the log takes callbacks again")
        case .stalled(let milliseconds):
            logger.critical("callbacks are refused with 503 until the disk answers", metadata: ["milliseconds": .stringConvertible(milliseconds)])
        case .answered(let milliseconds):
            logger.notice("the disk answers again", metadata: ["milliseconds": .stringConvertible(milliseconds)])
        case .unreadable(let failure):
            logger.error("a record cannot be read back; intake goes on", metadata: ["error": "\(failure)"])
        case .damaged(let place):
            say(place, to: logger)
        case .reread(let segment):
            logger.warning("a segment or its index file was found damaged; its index is made again", metadata: ["segment": "\(segment)"])
        case .indexFailed(let text):
            logger.warning(
                "an index file could not be made; it is tried again. Where the segment itself cannot be read, requests that may be in it are answered 503",
                metadata: ["error": "\(text)"])
        case .retired(let count):
            logger.info("segments went by retention", metadata: ["segments": .stringConvertible(count)])
        case .retentionFailed(let text):
            logger.error("what is to go by retention could not be removed; it is tried again", metadata: ["error": "\(text)"])
        case .expectationsFailed(let text):
            logger.warning("the file of open announcements could not be written; the next start reads the log for them", metadata: ["error": "\(text)"])
        case .supersessionsFailed(let text):
            logger.warning("the file of superseded records could not be written; it is tried again", metadata: ["error": "\(text)"])
        }
    }

    /// What opening the log found and did.
    package static func say(_ report: RecoveryReport, to logger: Logger) {
        if let tear = report.tear {
            logger.warning(
                tear.keptIn == tear.place.segment
                    ? "left what a crash tore where it is, behind the log's end: there was no room for a file of it" : "cut off what a crash tore",
                metadata: [
                    "segment": "\(tear.place.segment)", "offset": .stringConvertible(tear.place.offset), "bytes": .stringConvertible(tear.bytes),
                    "kept-in": "\(tear.keptIn)",
                ])
        }
        if report.copied > 0 {
            logger.notice("records that were perhaps never synced are copied and synced", metadata: ["records": .stringConvertible(report.copied)])
        }
        if report.rewritten > 0 {
            logger.notice(
                "records that were perhaps never synced are written again in their place and synced: there was no room for a copy",
                metadata: ["records": .stringConvertible(report.rewritten)])
        }
        if report.hasNewIdentity {
            logger.warning(
                "the file identity was missing or damaged and is drawn anew: all index files are made again, and programs that follow events are told a gap")
        }
        for place in report.damages { say(place, to: logger) }
        if report.damageCount > report.damages.count {
            logger.error("there is more damage", metadata: ["places": .stringConvertible(report.damageCount)])
        }
        if let first = report.unindexed.first {
            logger.notice(
                "index files are missing, stale or damaged; they are made again",
                metadata: ["segments": .stringConvertible(report.unindexed.count), "newest": "\(first)"])
        }
        logger.info(
            "the log is open",
            metadata: ["segments": .stringConvertible(report.segments), "records": .stringConvertible(report.records), "bytes": .stringConvertible(report.bytes)])
    }

    private static func say(_ place: UnsoundPlace, to logger: Logger) {
        logger.error(
            "the log is damaged here; the rest is served, and new callbacks are taken",
            metadata: ["segment": "\(place.segment)", "offset": .stringConvertible(place.offset), "sequence": .stringConvertible(place.sequence)])
    }
}
