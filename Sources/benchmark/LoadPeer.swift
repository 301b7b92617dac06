// A client's end of one connection that posts callbacks, as bytes: what a load needs and no more.
//
// Promises: every request is made from one prepared text, with its number written into the id; answers are read by
// their framing, status and `sequence`, and nothing else of them is looked at, since the client shares the processors
// with the server. What it does not understand throws.
// Must not know: sockets, how many connections there are, when to ask.

protocol LoadPeer {
    /// Sends nothing yet. `authority` is HOST:PORT.
    init(authority: String, series: UInt32)
    /// What a client says first.
    func open(into output: inout [UInt8])
    /// How many requests may be asked now, besides those that wait for their answers, which are `inFlight`.
    func room(inFlight: Int, depth: Int) -> Int
    /// Asks; the first request of a connection has index 0. `number` makes the id unique.
    mutating func ask(number: UInt64, into output: inout [UInt8])
    /// Takes whole answers from `bytes[..<count]` and tells each; returns how many bytes were used. Whatever the
    /// protocol wants to be answered itself goes to `output`.
    mutating func receive(
        _ bytes: [UInt8], count: Int, into output: inout [UInt8], _ answered: (LoadAnswer) -> Void) throws -> Int
}

/// One answer.
struct LoadAnswer {
    /// Of the request on this connection.
    let index: Int
    /// 0 where there is none: the stream was reset.
    let status: Int
    /// The record's, in an answer of the callback endpoint; 0 in others.
    let sequence: UInt64
}

/// The number in an id, where a prepared request has it.
struct NumberPlace {
    private static let digits = Array("0123456789abcdef".utf8)
    /// Where it begins.
    let offset: Int

    /// In `bytes`, which hold the body of request 0 of `series`.
    init(in bytes: [UInt8], series: UInt32) {
        let identifier = Array(Sample.requestID(series: series, number: 0).utf8)
        let starts = bytes.indices.dropLast(identifier.count)
        let start = starts.first { Array(bytes[$0..<($0 + identifier.count)]) == identifier } ?? 0
        offset = start + identifier.count - 12
    }

    /// Twelve hexadecimal digits behind `start`.
    func write(_ number: UInt64, to bytes: inout [UInt8], from start: Int) {
        for digit in 0..<12 {
            bytes[start + offset + digit] = Self.digits[Int(number >> UInt64(44 - 4 * digit) & 0xF)]
        }
    }
}

/// Numbers in the JSON of an answer.
enum AnswerText {
    static let sequence = Array(#""sequence":"#.utf8)
    static let status = Array(#""status":"#.utf8)

    /// The digits behind the first `label` in `bytes[start..<end]`; 0 where there is none.
    static func number(after label: [UInt8], _ bytes: [UInt8], from start: Int, to end: Int) -> UInt64 {
        var position = start
        while position + label.count < end {
            if bytes[position] == label[0], label.indices.allSatisfy({ bytes[position + $0] == label[$0] }) {
                position += label.count
                var number: UInt64 = 0
                while position < end, 0x30...0x39 ~= bytes[position], number < 1 << 59 {
                    number = number * 10 + UInt64(bytes[position] - 0x30)
                    position += 1
                }
                return number
            }
            position += 1
        }
        return 0
    }
}
