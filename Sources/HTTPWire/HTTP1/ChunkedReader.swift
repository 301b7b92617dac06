// Reads a chunked body (RFC 9112 §7.1), byte by byte but for the chunks' data.
//
//     size ─▶ [extensions] ─CRLF─▶ data ─CRLF─▶ size …
//       └─ "0" [extensions] ─CRLF─▶ [trailer fields] ─CRLF─▶ complete
//
// Promises: the grammar to the letter. CR LF ends every line and nothing else does; no white space
// stands where the grammar has none; extensions and trailers are checked, bounded and dropped.
// Must not know: heads, answers, what the body is.

/// The reader of one chunked body. What it has read it has consumed: nothing is presented twice.
struct ChunkedReader: Sendable {
    enum Outcome {
        case needsMore, complete
        case refused(Refusal)
    }

    private enum State {
        case size, sizeLineFeed
        // Extensions, RFC 9112 §7.1.1: *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )
        case beforeSemicolon, nameStart, name, afterName, valueStart, token, quoted, quotedPair, afterQuoted
        case data, dataCarriageReturn, dataLineFeed
        // Trailer section, RFC 9112 §7.1.2.
        case trailerStart, trailerName, trailerValue, trailerLineFeed, lastLineFeed
        case complete
    }

    private var state = State.size
    private var size: UInt64 = 0
    private var sizeDigits = 0
    private var lineBytes = 0
    private var extensionBytes = 0
    private var trailerBytes = 0
    /// What is missing of the present chunk's data.
    private var dataBytes = 0

    /// Reads on from `position`, which is moved past what was read, and appends data to `body`.
    mutating func read(
        _ input: Span<UInt8>, at position: inout Int, bodyBytesMax: Int, into body: inout [UInt8]
    ) -> Outcome {
        while position < input.count {
            if state == .data {
                let count = min(dataBytes, input.count - position)
                body.append(input.extracting(position..<position + count))
                position += count
                dataBytes -= count
                if dataBytes == 0 { state = .dataCarriageReturn }
                continue
            }
            let byte = input[position]
            position += 1
            let refusal = isInTrailers ? trailerStep(byte) : lineStep(byte, room: bodyBytesMax - body.count)
            if let refusal { return .refused(refusal) }
            if state == .complete { return .complete }
        }
        return .needsMore
    }

    private var isInTrailers: Bool {
        switch state {
        case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .lastLineFeed: true
        default: false
        }
    }

    /// A byte of a chunk-size line, or of the CR LF behind the data. `room`: what the body may grow by.
    private mutating func lineStep(_ byte: UInt8, room: Int) -> Refusal? {
        switch state {
        case .dataCarriageReturn:
            guard byte == Byte.carriageReturn else { return .malformedChunk }
            state = .dataLineFeed
            return nil
        case .dataLineFeed:
            guard byte == Byte.lineFeed else { return .malformedChunk }
            startLine()
            return nil
        case .sizeLineFeed:
            guard byte == Byte.lineFeed else { return .malformedChunk }
            return endLine(room: room)
        default: break
        }
        lineBytes += 1
        // The CR that ends the longest line is one more.
        guard lineBytes <= HTTPLimits.chunkLineBytesMax + 1 else { return .chunkLineTooLong }
        if state == .size { return sizeStep(byte) }
        if byte != Byte.carriageReturn { extensionBytes += 1 }
        guard extensionBytes <= HTTPLimits.chunkExtensionBytesMax else { return .chunkLineTooLong }
        guard let next = extensionState(after: byte) else { return .malformedChunk }
        state = next
        return nil
    }

    /// chunk-size = 1*HEXDIG: no sign, no 0x, no space before, and no more digits than fit in 64 bits.
    private mutating func sizeStep(_ byte: UInt8) -> Refusal? {
        if let digit = Byte.hexDigit(byte) {
            sizeDigits += 1
            guard sizeDigits <= HTTPLimits.chunkSizeDigitsMax else { return .malformedChunk }
            size = size << 4 | UInt64(digit)
            return nil
        }
        guard sizeDigits > 0 else { return .malformedChunk }
        switch byte {
        case Byte.carriageReturn: state = .sizeLineFeed
        case Byte.semicolon: state = .nameStart
        case Byte.space, Byte.tab: state = .beforeSemicolon
        default: return .malformedChunk
        }
        // The byte that begins the extensions is the first of theirs.
        if state != .sizeLineFeed { extensionBytes += 1 }
        return nil
    }

    /// The state behind one more byte of the extensions, nil where the grammar has no such byte.
    private func extensionState(after byte: UInt8) -> State? {
        let isSpace = Byte.isWhiteSpace(byte)
        switch state {
        case .beforeSemicolon:
            return isSpace ? state : byte == Byte.semicolon ? .nameStart : nil
        case .nameStart:
            return isSpace ? state : Byte.isToken(byte) ? .name : nil
        case .name:
            if Byte.isToken(byte) { return .name }
            if isSpace { return .afterName }
            return byte == Byte.equals ? .valueStart : endOfExtension(byte)
        case .afterName:
            return isSpace ? state : byte == Byte.equals ? .valueStart : byte == Byte.semicolon ? .nameStart : nil
        case .valueStart:
            return isSpace ? state : byte == Byte.quote ? .quoted : Byte.isToken(byte) ? .token : nil
        case .token:
            return Byte.isToken(byte) ? .token : isSpace ? .beforeSemicolon : endOfExtension(byte)
        case .quoted:
            // quoted-string, RFC 9110 §5.6.4: no CR or LF in it, not even behind a backslash.
            if byte == Byte.quote { return .afterQuoted }
            return byte == Byte.backslash ? .quotedPair : Byte.isFieldContent(byte) ? .quoted : nil
        case .quotedPair:
            return Byte.isFieldContent(byte) ? .quoted : nil
        case .afterQuoted:
            return isSpace ? .beforeSemicolon : endOfExtension(byte)
        default:
            return nil
        }
    }

    private func endOfExtension(_ byte: UInt8) -> State? {
        byte == Byte.semicolon ? .nameStart : byte == Byte.carriageReturn ? .sizeLineFeed : nil
    }

    private mutating func endLine(room: Int) -> Refusal? {
        if size == 0 {
            state = .trailerStart
            return nil
        }
        guard size <= UInt64(room) else { return .bodyTooLarge }
        dataBytes = Int(size)
        state = .data
        return nil
    }

    private mutating func startLine() {
        state = .size
        size = 0
        sizeDigits = 0
        lineBytes = 0
    }

    /// A byte of the trailer section: *( field-line CRLF ) CRLF. The fields are dropped, since none
    /// is known here that may be merged into the head (RFC 9110 §6.5.1).
    private mutating func trailerStep(_ byte: UInt8) -> Refusal? {
        trailerBytes += 1
        guard trailerBytes <= HTTPLimits.trailerBytesMax else { return .trailersTooLarge }
        switch state {
        case .trailerStart where byte == Byte.carriageReturn: state = .lastLineFeed
        case .trailerStart where Byte.isToken(byte): state = .trailerName
        case .trailerName where Byte.isToken(byte): break
        case .trailerName where byte == Byte.colon: state = .trailerValue
        case .trailerValue where byte == Byte.carriageReturn: state = .trailerLineFeed
        case .trailerValue where Byte.isFieldContent(byte): break
        case .trailerLineFeed where byte == Byte.lineFeed: state = .trailerStart
        case .lastLineFeed where byte == Byte.lineFeed: state = .complete
        default: return .malformedTrailer
        }
        return nil
    }
}
