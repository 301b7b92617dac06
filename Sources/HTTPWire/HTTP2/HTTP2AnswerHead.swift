// The fields of an answer as HTTP/2 has them (RFC 9113 §8.3.2): status, date, content, further ones.
//
// Promises: no field that is about a connection (RFC 9113 §8.2.2), no value that has a byte which
// RFC 9113 §8.2.1 forbids or white space at its ends; nothing allocated once its arrays have grown.
// Must not know: HPACK. Names are put into lower case where they are encoded.

/// Names, and values one behind the other.
struct HTTP2AnswerHead: Sendable {
    /// A field; its value ends before `valueEnd` and begins where that of the field before ends.
    struct Field: Sendable {
        var name: StaticString
        var valueEnd: Int
    }

    private(set) var fields: [Field] = []
    private(set) var values: [UInt8] = []

    /// Lays out the fields of `response`; without a length where the content follows piece by piece.
    mutating func layOut(_ response: borrowing Response, date: HTTPDate, contentFollows: Bool = false) {
        fields.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        values.appendDecimal(Int(response.status))
        endField(":status")
        date.append(to: &values)
        endField("date")
        if response.hasContent {
            if !response.body.isEmpty || contentFollows, response.contentType.utf8CodeUnitCount > 0 {
                values.append(response.contentType)
                endField("content-type")
            }
            if !contentFollows {
                values.appendDecimal(response.body.count)
                endField("content-length")
            }
        }
        for field in response.fields {
            appendValue(field.value)
            endField(field.name)
        }
    }

    private mutating func endField(_ name: StaticString) {
        fields.append(Field(name: name, valueEnd: values.count))
    }

    /// A byte that no value can have becomes a space, as in HTTP/1.1, and white space at the ends goes.
    private mutating func appendValue(_ value: String) {
        let start = values.count
        for byte in value.utf8 {
            let byte = Byte.isFieldContent(byte) ? byte : Byte.space
            if values.count > start || !Byte.isWhiteSpace(byte) { values.append(byte) }
        }
        while values.count > start, let last = values.last, Byte.isWhiteSpace(last) { values.removeLast() }
    }
}
