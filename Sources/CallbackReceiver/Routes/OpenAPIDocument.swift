// This server's interface as a document for programs: OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1), which
// GET /openapi.json answers with as it stands.
//
// Promises: what it names, there is, and what the server answers, it names: every path and method, every parameter with
// its bounds, every status with the shape of its body. No `default` answers. Tests/ConformanceTests/OpenAPI
// exercises each of them against the running server, and a property-based client looks for more.
// What a path does not have (405, 501) and what is no HTTP (505) is HTTP's own and not repeated for each operation; HEAD is
// answered wherever GET is.
// Must not know: how any of it is done. A route that changes changes this text in the same commit.

enum OpenAPIDocument {
    static let text: StaticString = #"""
        {
        "openapi":"3.1.1",
        "info":{"title":"callback-receiver","version":"1",
          "summary":"What became of a WhatsApp template request that was sent through Crisp",
          "description":"Crisp accepts a request at once, and tells later, in one callback, whether the message was sent. This server keeps each callback durably and answers for it, keyed by the request_id that the business knows.\n\n`sent` means that Crisp sent the message; neither delivered nor read. Times are RFC 3339 in UTC with milliseconds. `sequence` is a record's position in the log: dense, and never given again. Every error is an RFC 9457 problem document whose `detail` says what to do. HEAD is answered wherever GET is.\n\nUntil the first token is created, and only on loopback, the API answers without one, as long as `Host` is a loopback name or address and no proxy's field is there."},
        "servers":[{"url":"/"}],
        "security":[{"token":[]}],
        "tags":[
          {"name":"requests","description":"what became of a request, one or many"},
          {"name":"events","description":"everything as it happens"},
          {"name":"callback","description":"what Crisp posts"},
          {"name":"page","description":"for those who would rather look than read"},
          {"name":"operation","description":"probes, metrics, and this document"}
        ],
        "paths":{
          "/callback":{
            "post":{"operationId":"postCallback","tags":["callback"],"summary":"Take one callback",
              "description":"The path is as configured (`callback.path`), with or without a slash at its end; the address may be one of its own (`callback.listen`). Content-Type is not looked at. Answered once the record is on stable storage. Each kind of proof that is configured (key, Basic credentials, signature) must be given; where none is, none is looked at. What is refused with 400, 401, 413 or 422 is kept in the quarantine.",
              "security":[{},{"callbackKey":[]},{"callbackUser":[]},{"callbackKey":[],"callbackUser":[]}],
              "parameters":[
                {"name":"X-Crisp-Signature","in":"header","required":false,"description":"hex HMAC-SHA256 over `[`, the timestamp, `;`, the raw body and `]`; needed where signing secrets are configured","schema":{"type":"string"}},
                {"name":"X-Crisp-Request-Timestamp","in":"header","required":false,"description":"what is signed with the body; in seconds or milliseconds where an age limit is set","schema":{"type":"string"}}],
              "requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Callback"},
                "examples":{
                  "sent":{"value":{"error":false,"reason":"request_sent","data":{"request_id":"6ea55176-25c7-4ae1-9bd2-7e03dfbb4b8e","crisp_fingerprint":163239623329114,"whatsapp_message_id":"wamid.HBgLMzM2MTIzNDU2Nzg","session_id":"session_4e4a"}}},
                  "failed":{"value":{"request_id":"0b6f3b0e-7d0c-4c5e-9a53-1f3a7f3a2a11","message":"(#131049) This message was not delivered to maintain healthy ecosystem engagement."}}}}}},
              "responses":{
                "200":{"description":"stored; or, with `duplicate`, stored before with that sequence","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Receipt"},
                  "example":{"request_id":"6ea55176-25c7-4ae1-9bd2-7e03dfbb4b8e","status":"sent","sequence":42,"duplicate":false}}}},
                "400":{"$ref":"#/components/responses/BadCallback"},
                "401":{"$ref":"#/components/responses/Unproved"},
                "408":{"$ref":"#/components/responses/TooSlow"},
                "413":{"$ref":"#/components/responses/TooLarge"},
                "414":{"$ref":"#/components/responses/TargetTooLong"},
                "422":{"$ref":"#/components/responses/Unusable"},
                "431":{"$ref":"#/components/responses/FieldsTooLarge"},
                "503":{"$ref":"#/components/responses/Unavailable"}}}
          },
          "/v1/requests/{request_id}":{
            "parameters":[{"$ref":"#/components/parameters/RequestID"}],
            "get":{"operationId":"getRequest","tags":["requests"],"summary":"What became of a request","description":"With `wait` (or `Prefer: wait=30`) the answer is held, for an unknown id too, until the status is sent, failed or unrecognized, or the time is up.",
              "parameters":[
                {"name":"wait","in":"query","description":"seconds, in decimal digits, optionally with a fraction; more than 50 is taken as 50","schema":{"type":"number","minimum":0},"example":30},
                {"name":"Prefer","in":"header","description":"RFC 7240; `wait` is looked at, and what cannot be read is ignored. The parameter wins.","schema":{"type":"string"},"example":"wait=30"}],
              "responses":{
                "200":{"description":"what is known of it","headers":{"Cache-Control":{"$ref":"#/components/headers/NoStore"},"Preference-Applied":{"description":"`wait=` and the seconds, where Prefer was honoured (RFC 7240 §3)","schema":{"type":"string"}}},
                  "content":{"application/json":{"schema":{"$ref":"#/components/schemas/Request"},"examples":{
                    "sent":{"value":{"request_id":"6ea55176-25c7-4ae1-9bd2-7e03dfbb4b8e","status":"sent","crisp_fingerprint":163239623329114,"whatsapp_message_id":"wamid.HBgLMzM2MTIzNDU2Nzg","session_id":"session_4e4a","failure":null,"received_at":"2026-05-20T18:20:25.031Z","sequence":42,"callbacks":1,"updated_at":"2026-05-20T18:20:25.031Z","announced_at":null,"overdue_at":null,"reference":null,"metadata":{}}},
                    "failed":{"value":{"request_id":"0b6f3b0e-7d0c-4c5e-9a53-1f3a7f3a2a11","status":"failed","crisp_fingerprint":null,"whatsapp_message_id":null,"session_id":null,"failure":{"message":"(#131049) This message was not delivered to maintain healthy ecosystem engagement.","reason":null,"code":131049,"class":"retry_later","retryable":true,"retry_after_seconds":86400,"advice":"…"},"received_at":"2026-05-20T18:20:25.031Z","sequence":43,"callbacks":1,"updated_at":"2026-05-20T18:20:25.031Z","announced_at":"2026-05-20T18:20:21.500Z","overdue_at":"2026-05-20T18:25:21.500Z","reference":"order-1042","metadata":{"customer":7}}}}}}},
                "400":{"$ref":"#/components/responses/BadRequest"},
                "401":{"$ref":"#/components/responses/Unauthorized"},
                "403":{"$ref":"#/components/responses/Forbidden"},
                "429":{"$ref":"#/components/responses/TooManyWrong"},
                "404":{"$ref":"#/components/responses/Unknown"},
                "408":{"$ref":"#/components/responses/TooSlow"},
                "413":{"$ref":"#/components/responses/TooLarge"},
                "414":{"$ref":"#/components/responses/TargetTooLong"},
                "431":{"$ref":"#/components/responses/FieldsTooLarge"},
                "500":{"$ref":"#/components/responses/Unreadable"},
                "503":{"$ref":"#/components/responses/Unavailable"}}},
            "put":{"operationId":"announceRequest","tags":["requests"],"summary":"Announce a request that Crisp has just accepted","description":"So that the callback that never comes is found. Announced before, the new announcement replaces the old, members left out are cleared, and the time runs from the first; an identical one adds nothing. The callback may come first: then it joins.",
              "requestBody":{"required":false,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Announcement"},"example":{"overdue_after":300,"reference":"order-1042","metadata":{"customer":7}}}}},
              "responses":{
                "200":{"description":"announced before; this is in force now","headers":{"Cache-Control":{"$ref":"#/components/headers/NoStore"}},"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Request"}}}},
                "201":{"description":"announced","headers":{"Cache-Control":{"$ref":"#/components/headers/NoStore"}},"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Request"},
                  "example":{"request_id":"6ea55176-25c7-4ae1-9bd2-7e03dfbb4b8e","status":"pending","crisp_fingerprint":null,"whatsapp_message_id":null,"session_id":null,"failure":null,"received_at":null,"sequence":41,"callbacks":0,"updated_at":"2026-05-20T18:20:21.500Z","announced_at":"2026-05-20T18:20:21.500Z","overdue_at":"2026-05-20T18:25:21.500Z","reference":"order-1042","metadata":{"customer":7}}}}},
                "400":{"$ref":"#/components/responses/BadRequest"},
                "401":{"$ref":"#/components/responses/Unauthorized"},
                "403":{"$ref":"#/components/responses/Forbidden"},
                "429":{"$ref":"#/components/responses/TooManyWrong"},
                "408":{"$ref":"#/components/responses/TooSlow"},
                "413":{"$ref":"#/components/responses/TooLarge"},
                "414":{"$ref":"#/components/responses/TargetTooLong"},
                "422":{"$ref":"#/components/responses/Unusable"},
                "431":{"$ref":"#/components/responses/FieldsTooLarge"},
                "500":{"$ref":"#/components/responses/Unreadable"},
                "503":{"$ref":"#/components/responses/Unavailable"}}}
          },
          "/v1/requests/{request_id}/callbacks":{
            "parameters":[{"$ref":"#/components/parameters/RequestID"}],
            "get":{"operationId":"getRecords","tags":["requests"],"summary":"All records of a request, oldest first","description":"Callbacks with the payload as it came. A page may be shorter than its limit where records are large; `next` leads on.",
              "parameters":[{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"}],
              "responses":{
                "200":{"description":"a page","headers":{"Cache-Control":{"$ref":"#/components/headers/NoStore"},"Link":{"$ref":"#/components/headers/Next"}},"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Records"},
                  "example":{"callbacks":[{"sequence":41,"received_at":"2026-05-20T18:20:21.500Z","kind":"announcement","request_id":"6ea55176-25c7-4ae1-9bd2-7e03dfbb4b8e","overdue_after":300,"reference":"order-1042","metadata":{}},{"sequence":42,"received_at":"2026-05-20T18:20:25.031Z","kind":"callback","request_id":"6ea55176-25c7-4ae1-9bd2-7e03dfbb4b8e","status":"sent","payload":{"request_id":"6ea55176-25c7-4ae1-9bd2-7e03dfbb4b8e","whatsapp_message_id":"wamid.HBgLMzM2MTIzNDU2Nzg"}}],"next":null}}}},
                "400":{"$ref":"#/components/responses/BadRequest"},
                "401":{"$ref":"#/components/responses/Unauthorized"},
                "403":{"$ref":"#/components/responses/Forbidden"},
                "429":{"$ref":"#/components/responses/TooManyWrong"},
                "404":{"$ref":"#/components/responses/Unknown"},
                "408":{"$ref":"#/components/responses/TooSlow"},
                "413":{"$ref":"#/components/responses/TooLarge"},
                "414":{"$ref":"#/components/responses/TargetTooLong"},
                "431":{"$ref":"#/components/responses/FieldsTooLarge"},
                "500":{"$ref":"#/components/responses/Unreadable"},
                "503":{"$ref":"#/components/responses/Unavailable"}}}
          },
          "/v1/requests":{
            "get":{"operationId":"listRequests","tags":["requests"],"summary":"Requests by their newest record, newest first","description":"Each request once, where it stood and as it was when the first page was made: what arrives while one pages neither shifts nor repeats a page. A page may be shorter than its limit; `next` leads on as long as it is not null.",
              "parameters":[{"$ref":"#/components/parameters/Status"},{"$ref":"#/components/parameters/Class"},{"$ref":"#/components/parameters/Reference"},{"$ref":"#/components/parameters/SessionID"},{"$ref":"#/components/parameters/MessageID"},{"$ref":"#/components/parameters/Fingerprint"},{"$ref":"#/components/parameters/Since"},{"$ref":"#/components/parameters/Until"},{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"}],
              "responses":{
                "200":{"description":"a page","headers":{"Cache-Control":{"$ref":"#/components/headers/NoStore"},"Link":{"$ref":"#/components/headers/Next"}},"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Requests"},"example":{"requests":[],"next":null}}}},
                "400":{"$ref":"#/components/responses/BadRequest"},
                "401":{"$ref":"#/components/responses/Unauthorized"},
                "403":{"$ref":"#/components/responses/Forbidden"},
                "429":{"$ref":"#/components/responses/TooManyWrong"},
                "408":{"$ref":"#/components/responses/TooSlow"},
                "413":{"$ref":"#/components/responses/TooLarge"},
                "414":{"$ref":"#/components/responses/TargetTooLong"},
                "431":{"$ref":"#/components/responses/FieldsTooLarge"},
                "503":{"$ref":"#/components/responses/Unavailable"}}}
          },
          "/v1/events":{
            "get":{"operationId":"followEvents","tags":["events"],"summary":"One event for each record, as it becomes durable","description":"Server-sent events (WHATWG HTML). `event` is the status, `data` the request as of that record, `id` the log's id, a hyphen and the sequence. Without a position the stream begins with the next record; with one nothing behind it is skipped, and the id tells a repeat. Where the position cannot be gone on from (removed by retention, ahead, of another log, damaged) a `gap` event says the next sequence there is. A comment line every 15 s while nothing happens.",
              "parameters":[
                {"name":"after","in":"query","description":"an event's id, or a bare sequence","schema":{"type":"string"},"example":"41"},
                {"name":"Last-Event-ID","in":"header","description":"an event's id; it wins over `after`","schema":{"type":"string"}}],
              "responses":{
                "200":{"description":"the stream, without an end","headers":{"Cache-Control":{"$ref":"#/components/headers/NoStore"}},"content":{"text/event-stream":{"schema":{"type":"string"},
                  "example":"id: 0123456789abcdef0123456789abcdef-41\nevent: pending\ndata: {\"request_id\":\"…\",\"status\":\"pending\",…}\n\n"}}},
                "400":{"$ref":"#/components/responses/BadRequest"},
                "401":{"$ref":"#/components/responses/Unauthorized"},
                "403":{"$ref":"#/components/responses/Forbidden"},
                "429":{"$ref":"#/components/responses/TooManyWrong"},
                "408":{"$ref":"#/components/responses/TooSlow"},
                "413":{"$ref":"#/components/responses/TooLarge"},
                "414":{"$ref":"#/components/responses/TargetTooLong"},
                "431":{"$ref":"#/components/responses/FieldsTooLarge"},
                "503":{"$ref":"#/components/responses/Unavailable"}}}
          },
          "/v1/statistics":{
            "get":{"operationId":"getStatistics","tags":["requests"],"summary":"How many requests are in which status, over time","description":"By present status and failure class, in buckets of `updated_at`; buckets in which nothing is are left out.",
              "parameters":[{"$ref":"#/components/parameters/Since"},{"$ref":"#/components/parameters/Until"},{"name":"interval","in":"query","schema":{"enum":["minute","hour","day"],"default":"hour"}}],
              "responses":{
                "200":{"description":"the counts","headers":{"Cache-Control":{"$ref":"#/components/headers/NoStore"}},"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Statistics"},
                  "example":{"interval":"hour","buckets":[{"start":"2026-05-20T18:00:00.000Z","sent":41,"failed":3,"unrecognized":0,"pending":1,"overdue":0,"classes":{"template":2,"retry_later":1}}],"unknown":[{"message":"…","count":2,"last_at":"2026-05-20T18:20:25.031Z"}],"announced_open":1}}}},
                "400":{"$ref":"#/components/responses/BadRequest"},
                "401":{"$ref":"#/components/responses/Unauthorized"},
                "403":{"$ref":"#/components/responses/Forbidden"},
                "429":{"$ref":"#/components/responses/TooManyWrong"},
                "408":{"$ref":"#/components/responses/TooSlow"},
                "413":{"$ref":"#/components/responses/TooLarge"},
                "414":{"$ref":"#/components/responses/TargetTooLong"},
                "431":{"$ref":"#/components/responses/FieldsTooLarge"},
                "503":{"$ref":"#/components/responses/Unavailable"}}}
          },
          "/v1/export":{
            "get":{"operationId":"exportRequests","tags":["requests"],"summary":"All requests that a filter lets through, oldest first, one a line","description":"The filters of the list, streamed as far as the client takes it. CSV has a header row, and `request_id` is its first column.",
              "parameters":[{"name":"format","in":"query","schema":{"enum":["jsonl","csv"],"default":"jsonl"}},{"$ref":"#/components/parameters/Status"},{"$ref":"#/components/parameters/Class"},{"$ref":"#/components/parameters/Reference"},{"$ref":"#/components/parameters/SessionID"},{"$ref":"#/components/parameters/MessageID"},{"$ref":"#/components/parameters/Fingerprint"},{"$ref":"#/components/parameters/Since"},{"$ref":"#/components/parameters/Until"}],
              "responses":{
                "200":{"description":"the lines; one of JSON is a request as GET answers it","headers":{"Cache-Control":{"$ref":"#/components/headers/NoStore"}},"content":{"application/jsonl":{"schema":{"type":"string"}},"text/csv":{"schema":{"type":"string"}}}},
                "400":{"$ref":"#/components/responses/BadRequest"},
                "401":{"$ref":"#/components/responses/Unauthorized"},
                "403":{"$ref":"#/components/responses/Forbidden"},
                "429":{"$ref":"#/components/responses/TooManyWrong"},
                "408":{"$ref":"#/components/responses/TooSlow"},
                "413":{"$ref":"#/components/responses/TooLarge"},
                "414":{"$ref":"#/components/responses/TargetTooLong"},
                "431":{"$ref":"#/components/responses/FieldsTooLarge"},
                "503":{"$ref":"#/components/responses/Unavailable"}}}
          },
          "/v1/quarantine":{
            "get":{"operationId":"listQuarantine","tags":["callback"],"summary":"Callbacks that were refused, newest first","description":"Bodies only for a token of scope `write`; for others they are null.",
              "parameters":[{"$ref":"#/components/parameters/Limit"},{"$ref":"#/components/parameters/Cursor"}],
              "responses":{
                "200":{"description":"a page","headers":{"Cache-Control":{"$ref":"#/components/headers/NoStore"},"Link":{"$ref":"#/components/headers/Next"}},"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Quarantine"},
                  "example":{"entries":[{"id":"7","at":"2026-05-20T18:20:25.031Z","peer":"192.0.2.7","status":422,"detail":"…","body":"{}","body_encoding":"utf-8","count":1}],"next":null}}}},
                "400":{"$ref":"#/components/responses/BadRequest"},
                "401":{"$ref":"#/components/responses/Unauthorized"},
                "403":{"$ref":"#/components/responses/Forbidden"},
                "429":{"$ref":"#/components/responses/TooManyWrong"},
                "408":{"$ref":"#/components/responses/TooSlow"},
                "413":{"$ref":"#/components/responses/TooLarge"},
                "414":{"$ref":"#/components/responses/TargetTooLong"},
                "431":{"$ref":"#/components/responses/FieldsTooLarge"},
                "503":{"$ref":"#/components/responses/Unavailable"}}}
          },
          "/v1/quarantine/requeue":{
            "post":{"operationId":"requeueQuarantine","tags":["callback"],"summary":"Take in again what was refused, once the cause is mended","description":"What can be taken now is stored as a callback and leaves the quarantine; what cannot stays. A body is not looked at. Needs a token of scope `write`.",
              "parameters":[{"name":"unauthorized","in":"query","description":"also what nobody proved the origin of","schema":{"type":"boolean","default":false}}],
              "responses":{
                "200":{"description":"how many were taken, were there already, are left, or could not be stored now","headers":{"Cache-Control":{"$ref":"#/components/headers/NoStore"}},"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Requeued"},"example":{"taken":1,"duplicates":0,"left":2,"failed":0}}}},
                "400":{"$ref":"#/components/responses/BadRequest"},
                "401":{"$ref":"#/components/responses/Unauthorized"},
                "403":{"$ref":"#/components/responses/Forbidden"},
                "429":{"$ref":"#/components/responses/TooManyWrong"},
                "408":{"$ref":"#/components/responses/TooSlow"},
                "413":{"$ref":"#/components/responses/TooLarge"},
                "414":{"$ref":"#/components/responses/TargetTooLong"},
                "431":{"$ref":"#/components/responses/FieldsTooLarge"},
                "503":{"$ref":"#/components/responses/Unavailable"}}}
          },
          "/healthz":{
            "get":{"operationId":"getLiveness","tags":["operation"],"summary":"Alive","security":[],
              "responses":{
                "200":{"description":"alive","headers":{"Cache-Control":{"$ref":"#/components/headers/NoStore"}},"content":{"application/json":{"schema":{"type":"object","required":["status"],"properties":{"status":{"const":"alive"}}},"example":{"status":"alive"}}}},
                "408":{"$ref":"#/components/responses/TooSlow"},
                "413":{"$ref":"#/components/responses/TooLarge"},
                "414":{"$ref":"#/components/responses/TargetTooLong"},
                "431":{"$ref":"#/components/responses/FieldsTooLarge"},
                "503":{"$ref":"#/components/responses/Unavailable"}}}
          },
          "/readyz":{
            "get":{"operationId":"getReadiness","tags":["operation"],"summary":"Ready to store callbacks","security":[],
              "responses":{
                "200":{"description":"ready; damage in the log is named and does not make it unready","headers":{"Cache-Control":{"$ref":"#/components/headers/NoStore"}},"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Readiness"},"example":{"status":"ready","checks":{"log":"ok","disk":"ok","draining":"ok"},"damage_count":0,"damage":[]}}}},
                "408":{"$ref":"#/components/responses/TooSlow"},
                "413":{"$ref":"#/components/responses/TooLarge"},
                "414":{"$ref":"#/components/responses/TargetTooLong"},
                "431":{"$ref":"#/components/responses/FieldsTooLarge"},
                "503":{"description":"not ready: `check` is the one that fails","headers":{"Retry-After":{"$ref":"#/components/headers/RetryAfter"}},"content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}}}}
          },
          "/":{
            "get":{"operationId":"getPage","tags":["page"],"summary":"The page, for a browser","description":"Finds a request, shows how things stand and what comes, through this API.",
              "responses":{
                "200":{"$ref":"#/components/responses/Page"},
                "401":{"$ref":"#/components/responses/Unauthorized"},
                "403":{"$ref":"#/components/responses/Forbidden"},
                "408":{"$ref":"#/components/responses/TooSlow"},
                "413":{"$ref":"#/components/responses/TooLarge"},
                "414":{"$ref":"#/components/responses/TargetTooLong"},
                "429":{"$ref":"#/components/responses/TooManyWrong"},
                "431":{"$ref":"#/components/responses/FieldsTooLarge"},
                "503":{"$ref":"#/components/responses/Unavailable"}}}
          },
          "/page.css":{
            "get":{"operationId":"getPageStyle","tags":["page"],"summary":"How the page looks","description":"Part of the page.",
              "responses":{
                "200":{"$ref":"#/components/responses/PageStyle"},
                "401":{"$ref":"#/components/responses/Unauthorized"},
                "403":{"$ref":"#/components/responses/Forbidden"},
                "408":{"$ref":"#/components/responses/TooSlow"},
                "413":{"$ref":"#/components/responses/TooLarge"},
                "414":{"$ref":"#/components/responses/TargetTooLong"},
                "429":{"$ref":"#/components/responses/TooManyWrong"},
                "431":{"$ref":"#/components/responses/FieldsTooLarge"},
                "503":{"$ref":"#/components/responses/Unavailable"}}}
          },
          "/page.js":{
            "get":{"operationId":"getPageScript","tags":["page"],"summary":"What the page does","description":"Part of the page.",
              "responses":{
                "200":{"$ref":"#/components/responses/PageScript"},
                "401":{"$ref":"#/components/responses/Unauthorized"},
                "403":{"$ref":"#/components/responses/Forbidden"},
                "408":{"$ref":"#/components/responses/TooSlow"},
                "413":{"$ref":"#/components/responses/TooLarge"},
                "414":{"$ref":"#/components/responses/TargetTooLong"},
                "429":{"$ref":"#/components/responses/TooManyWrong"},
                "431":{"$ref":"#/components/responses/FieldsTooLarge"},
                "503":{"$ref":"#/components/responses/Unavailable"}}}
          },
          "/metrics":{
            "get":{"operationId":"getMetrics","tags":["operation"],"summary":"Metrics for Prometheus","description":"Prometheus' text format 0.0.4. For tokens of scope `metrics` alone: those of read and write see whom one writes to, and what watches the server need not. Counters begin at 0 with the process.",
              "responses":{
                "200":{"description":"the metrics","headers":{"Cache-Control":{"$ref":"#/components/headers/NoStore"}},"content":{"text/plain":{"schema":{"type":"string"},"example":"# HELP callback_receiver_callback_duplicates_total Callbacks that had come before, answered 200 and not stored again.\n# TYPE callback_receiver_callback_duplicates_total counter\ncallback_receiver_callback_duplicates_total 0\n"}}},
                "401":{"$ref":"#/components/responses/Unauthorized"},
                "403":{"$ref":"#/components/responses/Forbidden"},
                "429":{"$ref":"#/components/responses/TooManyWrong"},
                "408":{"$ref":"#/components/responses/TooSlow"},
                "413":{"$ref":"#/components/responses/TooLarge"},
                "414":{"$ref":"#/components/responses/TargetTooLong"},
                "431":{"$ref":"#/components/responses/FieldsTooLarge"},
                "503":{"$ref":"#/components/responses/Unavailable"}}}
          },
          "/openapi.json":{
            "get":{"operationId":"getDocument","tags":["operation"],"summary":"This document",
              "responses":{
                "200":{"description":"OpenAPI 3.1","headers":{"Cache-Control":{"$ref":"#/components/headers/NoStore"}},"content":{"application/json":{"schema":{"type":"object","required":["openapi","info","paths","components"],"properties":{"openapi":{"type":"string"}},"additionalProperties":true}}}},
                "401":{"$ref":"#/components/responses/Unauthorized"},
                "403":{"$ref":"#/components/responses/Forbidden"},
                "429":{"$ref":"#/components/responses/TooManyWrong"},
                "408":{"$ref":"#/components/responses/TooSlow"},
                "413":{"$ref":"#/components/responses/TooLarge"},
                "414":{"$ref":"#/components/responses/TargetTooLong"},
                "431":{"$ref":"#/components/responses/FieldsTooLarge"},
                "503":{"$ref":"#/components/responses/Unavailable"}}}
          }
        },
        "components":{
          "securitySchemes":{
            "token":{"type":"http","scheme":"basic","description":"RFC 7617: the token's identifier as the user, its key as the password (`callback-receiver token create`). Scopes: `read`; `write`, which includes read; `metrics`."},
            "callbackKey":{"type":"apiKey","in":"query","name":"key","description":"one of `callback.keys`"},
            "callbackUser":{"type":"http","scheme":"basic","description":"one of `callback.users`"}
          },
          "parameters":{
            "RequestID":{"name":"request_id","in":"path","required":true,"description":"percent-encoded: 1 to 256 visible ASCII characters","schema":{"$ref":"#/components/schemas/RequestID"}},
            "Status":{"name":"status","in":"query","schema":{"$ref":"#/components/schemas/Status"}},
            "Class":{"name":"class","in":"query","description":"of those that failed","schema":{"$ref":"#/components/schemas/FailureClass"}},
            "Reference":{"name":"reference","in":"query","description":"of the newest announcement","schema":{"type":"string","minLength":1,"maxLength":128},"example":"order-1042"},
            "SessionID":{"name":"session_id","in":"query","schema":{"type":"string","minLength":1,"maxLength":512},"example":"session_4e4a"},
            "MessageID":{"name":"whatsapp_message_id","in":"query","schema":{"type":"string","minLength":1,"maxLength":512},"example":"wamid.HBgLMzM2MTIzNDU2Nzg"},
            "Fingerprint":{"name":"crisp_fingerprint","in":"query","schema":{"type":"integer"},"example":163239623329114},
            "Since":{"name":"since","in":"query","description":"of `updated_at`, inclusive","schema":{"type":"string","format":"date-time"},"example":"2026-05-20T18:00:00Z"},
            "Until":{"name":"until","in":"query","description":"of `updated_at`, exclusive","schema":{"type":"string","format":"date-time"},"example":"2026-05-20T19:00:00Z"},
            "Limit":{"name":"limit","in":"query","schema":{"type":"integer","minimum":1,"maximum":1000,"default":100}},
            "Cursor":{"name":"cursor","in":"query","description":"what `next` of the page before said, unchanged, with the same filters","schema":{"type":"string"}}
          },
          "headers":{
            "NoStore":{"description":"nobody may keep it","schema":{"const":"no-store"}},
            "Next":{"description":"RFC 8288, `rel=\"next\"`: the next page, where there is one","schema":{"type":"string"}},
            "Policy":{"description":"what the browser is to allow: these files and this API","required":true,"schema":{"type":"string"}},
            "RetryAfter":{"description":"seconds","required":true,"schema":{"type":"integer","minimum":1}},
            "Challenge":{"description":"RFC 9110 §11.6.1","required":true,"schema":{"type":"string","pattern":"^(Basic|Key|Crisp-Signature) realm="}}
          },
          "responses":{
            "Page":{"description":"HTML","headers":{"Cache-Control":{"$ref":"#/components/headers/NoStore"},"Content-Security-Policy":{"$ref":"#/components/headers/Policy"}},"content":{"text/html":{"schema":{"type":"string"}}}},
            "PageStyle":{"description":"CSS","headers":{"Cache-Control":{"$ref":"#/components/headers/NoStore"},"Content-Security-Policy":{"$ref":"#/components/headers/Policy"}},"content":{"text/css":{"schema":{"type":"string"}}}},
            "PageScript":{"description":"JavaScript","headers":{"Cache-Control":{"$ref":"#/components/headers/NoStore"},"Content-Security-Policy":{"$ref":"#/components/headers/Policy"}},"content":{"text/javascript":{"schema":{"type":"string"}}}},
            "BadRequest":{"description":"a path, parameter or body that cannot be read; `detail` says which and why","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
            "BadCallback":{"description":"not JSON, or not a JSON object","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
            "Unusable":{"description":"JSON that cannot be taken: no usable `request_id`, a member that is unknown, of a wrong type or out of bounds, or more records of this request than are kept","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
            "Unauthorized":{"description":"no token, or one that is not known","headers":{"WWW-Authenticate":{"$ref":"#/components/headers/Challenge"}},"content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
            "Unproved":{"description":"a configured key, user or signature is wrong or missing","headers":{"WWW-Authenticate":{"$ref":"#/components/headers/Challenge"}},"content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
            "Forbidden":{"description":"the token's scope does not suffice","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
            "Unknown":{"description":"nothing is known of this request","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
            "TooSlow":{"description":"the request did not arrive in time","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
            "TooLarge":{"description":"a body of more than `callback.body-bytes-max`","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
            "TargetTooLong":{"description":"a target of more than 8 KiB","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
            "FieldsTooLarge":{"description":"more than 64 fields, or 16 KiB of them","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
            "Unreadable":{"description":"a record cannot be read back from the disk","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
            "TooManyWrong":{"description":"too many wrong credentials came from this address; right ones are never refused for that","headers":{"Retry-After":{"$ref":"#/components/headers/RetryAfter"}},"content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
            "Unavailable":{"description":"it cannot be done now: the disk, or too much at once. Nothing was stored. Ask again later","headers":{"Retry-After":{"$ref":"#/components/headers/RetryAfter"}},"content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}}
          },
          "schemas":{
            "RequestID":{"type":"string","pattern":"^[!-~]{1,256}$","examples":["6ea55176-25c7-4ae1-9bd2-7e03dfbb4b8e"]},
            "Time":{"type":"string","format":"date-time","pattern":"^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$"},
            "Status":{"enum":["sent","failed","unrecognized","pending","overdue"],"description":"what the newest callback said (sent, failed, unrecognized); announced and no callback yet (pending); announced and no callback within the time allowed (overdue)"},
            "FailureClass":{"enum":["retry_later","rate_limit","recipient","template","request","account","billing","unknown"]},
            "Callback":{"type":"object","description":"An envelope or flat: each field is looked for at the top, then in `data`. Fields that are not known are kept, never refused.",
              "anyOf":[{"required":["request_id"],"properties":{"request_id":{"$ref":"#/components/schemas/RequestID"}}},
                {"required":["data"],"properties":{"data":{"type":"object","required":["request_id"],"properties":{"request_id":{"$ref":"#/components/schemas/RequestID"}}}}}]},
            "Receipt":{"type":"object","required":["request_id","status","sequence","duplicate"],"properties":{
              "request_id":{"$ref":"#/components/schemas/RequestID"},"status":{"enum":["sent","failed","unrecognized"]},
              "sequence":{"type":"integer","minimum":1},"duplicate":{"type":"boolean"}}},
            "Announcement":{"type":"object","additionalProperties":false,"properties":{
              "overdue_after":{"type":"integer","minimum":1,"maximum":604800,"description":"seconds; `expectations.overdue-after-seconds` (300) where it is left out"},
              "reference":{"type":["string","null"],"minLength":1,"maxLength":128,"description":"1 to 128 bytes of UTF-8, to find it by; null is as left out"},
              "metadata":{"type":"object","description":"at most 4 KiB; it comes back with every answer"}}},
            "Request":{"type":"object","required":["request_id","status","crisp_fingerprint","whatsapp_message_id","session_id","failure","received_at","sequence","callbacks","updated_at","announced_at","overdue_at","reference","metadata"],"properties":{
              "request_id":{"$ref":"#/components/schemas/RequestID"},"status":{"$ref":"#/components/schemas/Status"},
              "crisp_fingerprint":{"type":["integer","null"]},"whatsapp_message_id":{"type":["string","null"]},"session_id":{"type":["string","null"]},
              "failure":{"oneOf":[{"type":"null"},{"$ref":"#/components/schemas/Failure"}]},
              "received_at":{"oneOf":[{"type":"null"},{"$ref":"#/components/schemas/Time"}],"description":"the newest callback's time"},
              "sequence":{"type":"integer","minimum":1,"description":"the newest record's"},"callbacks":{"type":"integer","minimum":0,"description":"how many came"},
              "updated_at":{"$ref":"#/components/schemas/Time"},
              "announced_at":{"oneOf":[{"type":"null"},{"$ref":"#/components/schemas/Time"}],"description":"the first announcement's time"},
              "overdue_at":{"oneOf":[{"type":"null"},{"$ref":"#/components/schemas/Time"}],"description":"when it runs or ran out"},
              "reference":{"type":["string","null"]},"metadata":{"type":"object"}}},
            "Failure":{"type":"object","required":["message","reason","code","class","retryable","retry_after_seconds","advice"],"properties":{
              "message":{"type":["string","null"]},"reason":{"type":["string","null"]},"code":{"type":["integer","null"]},"class":{"$ref":"#/components/schemas/FailureClass"},
              "retryable":{"type":"boolean","description":"whether it is worth trying again"},"retry_after_seconds":{"type":["integer","null"],"minimum":0},"advice":{"type":"string"}}},
            "Requests":{"type":"object","required":["requests","next"],"properties":{"requests":{"type":"array","items":{"$ref":"#/components/schemas/Request"}},"next":{"type":["string","null"]}}},
            "Records":{"type":"object","required":["callbacks","next"],"properties":{"callbacks":{"type":"array","items":{"$ref":"#/components/schemas/Record"}},"next":{"type":["string","null"]}}},
            "Record":{"oneOf":[
              {"type":"object","required":["sequence","received_at","kind","request_id","status","payload"],"properties":{"sequence":{"type":"integer"},"received_at":{"$ref":"#/components/schemas/Time"},"kind":{"const":"callback"},"request_id":{"$ref":"#/components/schemas/RequestID"},"status":{"enum":["sent","failed","unrecognized"]},"payload":{"type":"object"}}},
              {"type":"object","required":["sequence","received_at","kind","request_id","overdue_after","reference","metadata"],"properties":{"sequence":{"type":"integer"},"received_at":{"$ref":"#/components/schemas/Time"},"kind":{"const":"announcement"},"request_id":{"$ref":"#/components/schemas/RequestID"},"overdue_after":{"type":"integer"},"reference":{"type":["string","null"]},"metadata":{"type":"object"},"announced_at":{"$ref":"#/components/schemas/Time"}}},
              {"type":"object","required":["sequence","received_at","kind","request_id"],"properties":{"sequence":{"type":"integer"},"received_at":{"$ref":"#/components/schemas/Time"},"kind":{"const":"overdue"},"request_id":{"$ref":"#/components/schemas/RequestID"}}}]},
            "Statistics":{"type":"object","required":["interval","buckets","unknown","announced_open"],"properties":{
              "interval":{"enum":["minute","hour","day"]},
              "buckets":{"type":"array","items":{"type":"object","required":["start","sent","failed","unrecognized","pending","overdue","classes"],"properties":{
                "start":{"$ref":"#/components/schemas/Time"},"sent":{"type":"integer","minimum":0},"failed":{"type":"integer","minimum":0},"unrecognized":{"type":"integer","minimum":0},"pending":{"type":"integer","minimum":0},"overdue":{"type":"integer","minimum":0},
                "classes":{"type":"object","description":"of the failed","propertyNames":{"$ref":"#/components/schemas/FailureClass"},"additionalProperties":{"type":"integer","minimum":0}}}}},
              "unknown":{"type":"array","description":"failure texts that no rule knows","items":{"type":"object","required":["message","count","last_at"],"properties":{"message":{"type":["string","null"]},"count":{"type":"integer","minimum":1},"last_at":{"$ref":"#/components/schemas/Time"}}}},
              "announced_open":{"type":"integer","minimum":0,"description":"announced, and no callback yet"}}},
            "Quarantine":{"type":"object","required":["entries","next"],"properties":{"next":{"type":["string","null"]},
              "entries":{"type":"array","items":{"type":"object","required":["id","at","peer","status","detail","body","body_encoding","count"],"properties":{
                "id":{"type":"string"},"at":{"$ref":"#/components/schemas/Time"},"peer":{"type":"string"},"status":{"enum":[400,401,413,422]},"detail":{"type":"string"},
                "body":{"type":["string","null"]},"body_encoding":{"enum":["utf-8","base64",null]},"count":{"type":"integer","minimum":1,"description":"how often it came"}}}}}},
            "Requeued":{"type":"object","required":["taken","duplicates","left","failed"],"properties":{"taken":{"type":"integer","minimum":0},"duplicates":{"type":"integer","minimum":0},"left":{"type":"integer","minimum":0},"failed":{"type":"integer","minimum":0}}},
            "Readiness":{"type":"object","required":["status","checks","damage_count","damage"],"properties":{"status":{"const":"ready"},
              "checks":{"type":"object","required":["log","disk","draining"],"properties":{"log":{"const":"ok"},"disk":{"const":"ok"},"draining":{"const":"ok"}}},
              "damage_count":{"type":"integer","minimum":0},
              "damage":{"type":"array","items":{"type":"object","required":["segment","offset","sequence"],"properties":{"segment":{"type":"string"},"offset":{"type":"integer"},"sequence":{"type":"integer"}}}}}},
            "Problem":{"type":"object","description":"RFC 9457","required":["type","title","status","detail"],"properties":{"type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer"},"detail":{"type":"string","description":"what is wrong, and what to do"},"instance":{"type":"string","description":"the path, without its query"},"check":{"enum":["log","disk","draining"]}}}
          }
        }
        }
        """#
}
