// How HTTP/2 by prior knowledge is told from HTTP/1.1 (RFC 9113 §3.3, §3.4): by its first bytes.
//
// Promises: decided at the first byte that differs; `PRI` is no method that HTTP/1.1 will ever have.
// Must not know: what comes behind the preface.

extension HTTP2Session {
    /// Whether input is HTTP/2.
    public enum Preface: Sendable, Equatable {
        /// Some byte differs: HTTP/1.1, or whatever it makes of it.
        case no
        /// The beginning of a preface so far, or nothing at all.
        case undecided
        /// The whole preface.
        case yes
    }

    /// The client connection preface, 24 bytes (RFC 9113 §3.4).
    static let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    /// Whether `input`, from a connection's first byte on, begins with the client's preface.
    public static func beginsWithPreface(_ input: Span<UInt8>) -> Preface {
        for index in 0..<min(input.count, preface.utf8CodeUnitCount) where input[index] != preface.byte(at: index) {
            return .no
        }
        return input.count < preface.utf8CodeUnitCount ? .undecided : .yes
    }
}
