// A server with one request of each kind, for what lists, counts and exports.
//
// Promises: identifiers, statuses and keys below are what was sent; the order of `newestFirst` is that of the newest records.
// Must not know: how any of it is found again.

import TestSupport

struct Panorama {
    let server: ServerProcess

    /// By newest record, newest first. `corrected` failed first and was sent then; `moved` changed session and reference.
    static let newestFirst = ["overdue", "corrected", "moved", "strange", "pending", "odd", "template", "limited", "sent"]
    static let status = [
        "sent": "sent", "limited": "failed", "template": "failed", "odd": "failed", "pending": "pending", "strange": "unrecognized", "moved": "sent",
        "corrected": "sent", "overdue": "overdue",
    ]
    static let failureClass = ["limited": "retry_later", "template": "template", "odd": "unknown"]
    /// What no rule of failures knows.
    static let oddText = "A text, \\\"quoted\\\", that nobody has seen before\\nand its second line"

    init(directory: TemporaryDirectory? = nil, configuration: String? = nil) throws {
        server = try ServerProcess(directory: directory, configuration: configuration)
        _ = try server.put("overdue", #"{"overdue_after":1,"reference":"order-7"}"#)
        _ = try server.post(failedPayload("corrected", code: 132_000))
        _ = try server.post(#"{"request_id":"moved","whatsapp_message_id":"wamid.old","session_id":"session_old"}"#)
        _ = try server.put("moved", #"{"reference":"order-old"}"#)
        _ = try server.post(#"{"request_id":"sent","whatsapp_message_id":"wamid.sent","session_id":"session_a","crisp_fingerprint":163239623329114}"#)
        _ = try server.post(#"{"request_id":"limited","error":true,"message":"limited","code":131049,"session_id":"session_a"}"#)
        _ = try server.post(failedPayload("template", code: 132_000))
        _ = try server.post(failedPayload("odd", message: Self.oddText))
        _ = try server.put("pending", #"{"reference":"order-1042","metadata":{"a":1}}"#)
        _ = try server.post(#"{"request_id":"strange","session_id":"session_b"}"#)
        _ = try server.put("moved", #"{"reference":"order-new"}"#)
        _ = try server.post(#"{"request_id":"moved","whatsapp_message_id":"wamid.new","session_id":"session_new"}"#)
        _ = try server.post(sentPayload("corrected", "wamid.corrected"))
        try server.eventually("overdue", is: "overdue")
        // It may have run out before the last ones came: then it is not the newest.
        _ = try server.put("overdue", #"{"overdue_after":1,"reference":"order-7","metadata":{"again":true}}"#)
        try server.eventually("overdue", is: "overdue")
    }
}
