// What HTTP/2 needs of bytes beside `Bytes.swift`: a frame of our own, and field values.
//
// Promises: a value that goes out has no byte that RFC 9113 §8.2.1 forbids, and no white space at its ends.
// Must not know: sessions.

extension [UInt8] {
    /// Appends a GOAWAY frame (RFC 9113 §6.8) without debug data.
    mutating func appendGoAway(lastStream: Int32, code: UInt32) {
        append(contentsOf: [0, 0, 8, 7, 0, 0, 0, 0, 0])
        appendBigEndian(UInt32(lastStream))
        appendBigEndian(code)
    }

    /// Appends a field's value; a byte that none can have becomes a space, and spaces at the ends go.
    mutating func appendFieldValue(_ value: String) {
        let start = count
        for byte in value.utf8 where count > start || !Byte.isWhiteSpace(byte) {
            guard Byte.isFieldContent(byte) else {
                if count > start { append(Byte.space) }
                continue
            }
            append(byte)
        }
        while count > start, let last, Byte.isWhiteSpace(last) { removeLast() }
    }

    private mutating func appendBigEndian(_ number: UInt32) {
        for shift in stride(from: 24, through: 0, by: -8) { append(UInt8(truncatingIfNeeded: number >> UInt32(shift))) }
    }
}
