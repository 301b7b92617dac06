// What is sent and stored: the same callback in every figure, with an id of its own each time.
//
// Promises: bodies of exactly 255 bytes; ids of 36 bytes, in the form of Crisp's, unique for each pair of series
// and number. The load scripts (Load.swift) make the same ones. Must not know: how it is sent.

enum Sample {
    static let bodyBytes = 255
    /// The series of ids that sample logs hold.
    static let knownSeries: UInt32 = 0
    /// A series that nothing ever holds.
    static let unknownSeries: UInt32 = 0xFFFF_FFFF

    static let bodyStart = #"{"error":false,"reason":"message_sent","data":{"request_id":""#
    static let bodyEnd =
        #"","whatsapp_message_id":"wamid.HBgLMzM2MTIzNDU2NzgVAgARGBI5QTND","crisp_fingerprint":163239623329114,"#
        + #""session_id":"session_700c65e1-85e2-465a-b9ac-ecb5ec2c"}}"#
    /// Between series and number.
    static let idMiddle = "-7a1c-4f0e-9b3d-"

    static func requestID(series: UInt32, number: UInt64) -> String {
        hexadecimal(UInt64(series), digits: 8) + idMiddle + hexadecimal(number, digits: 12)
    }

    /// The callback of a request, as Crisp would send it.
    static func body(_ requestID: String) -> [UInt8] {
        let bytes = Array((bodyStart + requestID + bodyEnd).utf8)
        precondition(bytes.count == bodyBytes)
        return bytes
    }

    /// A whole request of 400 bytes that brings a callback.
    static let post: [UInt8] = {
        let start = "POST /callback HTTP/1.1\r\nHost: callbacks.example.com\r\nUser-Agent: "
        let end = "\r\nContent-Type: application/json\r\nContent-Length: \(bodyBytes)\r\n\r\n"
        let agent = String(repeating: "a", count: 400 - bodyBytes - start.utf8.count - end.utf8.count)
        return Array((start + agent + end).utf8) + body(requestID(series: knownSeries, number: 1))
    }()

    private static func hexadecimal(_ number: UInt64, digits: Int) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}

/// Numbers that look random and are the same in every run (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
