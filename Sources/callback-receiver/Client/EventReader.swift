// Server-sent events, taken apart as they come (WHATWG HTML §9.2.6).
//
// Promises: pure; any of CR, LF, CR LF ends a line, wherever the bytes are split; an event is bounded. Comments and fields
// that are not known are passed over. An id without data, too, is the position to go on from.
// Must not know: where the bytes come from, what the data says.

/// One event, as it was dispatched.
struct ServerEvent: Equatable {
    /// `message` where it is not named.
    var name = "message"
    var data: [UInt8] = []
    /// The last id that came, with this event or before it.
    var id: String?
}

struct EventReader {
    /// Longer than any event: `callback.body-bytes-max` is at most half of it.
    static let eventBytesMax = 32 * 1_024 * 1_024

    private var line: [UInt8] = []
    private var name = ""
    private var data: [UInt8] = []
    private var hasData = false
    private var isAfterCR = false
    private var isFirstLine = true
    /// The last id that came with the end of an event, also of one without data.
    private(set) var lastID: String?
    private var id: String?

    /// Calls `dispatch` for each event that `bytes` ends.
    mutating func take<Failure: Error>(
        _ bytes: [UInt8], _ dispatch: (ServerEvent) throws(Failure) -> Void
    ) throws(EventFailure<Failure>) {
        for byte in bytes {
            if byte == 0x0A, isAfterCR {
                isAfterCR = false
                continue
            }
            isAfterCR = byte == 0x0D
            guard byte == 0x0A || byte == 0x0D else {
                line.append(byte)
                guard line.count + data.count <= Self.eventBytesMax else { throw .tooLong }
                continue
            }
            if let event = takeLine() {
                do throws(Failure) { try dispatch(event) } catch { throw .visitor(error) }
            }
            line.removeAll(keepingCapacity: true)
        }
    }

    /// The event that an empty line ends.
    private mutating func takeLine() -> ServerEvent? {
        if isFirstLine {
            isFirstLine = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        }
        guard !line.isEmpty else { return dispatched() }
        guard line[0] != UInt8(ascii: ":") else { return nil }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[min(colon + 1, line.endIndex)...]
        if value.first == 0x20 { value.removeFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "event": name = String(decoding: value, as: UTF8.self)
        case "data":
            if hasData { data.append(0x0A) }
            hasData = true
            data.append(contentsOf: value)
        case "id": if !value.contains(0) { id = String(decoding: value, as: UTF8.self) }
        default: break
        }
        return nil
    }

    private mutating func dispatched() -> ServerEvent? {
        lastID = id
        defer {
            name = ""
            data = []
            hasData = false
        }
        return hasData ? ServerEvent(name: name.isEmpty ? "message" : name, data: data, id: id) : nil
    }
}

/// Why events could not be read on.
enum EventFailure<Failure: Error>: Error {
    /// One is longer than `EventReader.eventBytesMax`.
    case tooLong
    case visitor(Failure)
}
