// What RFC 9113 asks of every frame that a server sends, checked as it is taken, and the account kept of both sides.
//
// Promises: a frame that breaks a rule is `TestFailure.unreadable` with the section, in whatever test it comes.
// Must not know: what a test is about.

extension HTTP2Connection {
    private func broken(_ rule: String, _ frame: HTTP2Frame) -> TestFailure {
        .unreadable("RFC 9113 \(rule): kind \(frame.kind), flags \(frame.flags), stream \(frame.stream), \(frame.payload.count) bytes")
    }

    /// Which flags a kind defines (§4.1: others are left unset).
    private static let flags: [UInt8] = [0x09, 0x2D, 0, 0, 0x01, 0x0C, 0x01, 0, 0, 0x04]

    /// Does what a frame of the server asks for.
    func take(_ frame: HTTP2Frame) throws {
        if received.isEmpty, frame.kind != HTTP2FrameKind.settings || frame.flags != 0 { throw broken("§3.4: the first frame is SETTINGS", frame) }
        guard frame.stream >> 31 == 0 else { throw broken("§4.1: the reserved bit is set", frame) }
        guard Int(frame.kind) < Self.flags.count else { return }
        guard frame.flags & ~Self.flags[Int(frame.kind)] == 0 else { throw broken("§4.1: an undefined flag is set", frame) }
        if let openBlock, frame.kind != HTTP2FrameKind.continuation || frame.stream != openBlock.stream {
            throw broken("§4.3: a field block is interrupted", frame)
        }
        let isOfStream = [HTTP2FrameKind.data, HTTP2FrameKind.headers, HTTP2FrameKind.priority, HTTP2FrameKind.reset, HTTP2FrameKind.continuation].contains(
            frame.kind)
        let isOfConnection = [HTTP2FrameKind.settings, HTTP2FrameKind.ping, HTTP2FrameKind.goAway].contains(frame.kind)
        if isOfStream && frame.stream == 0 || isOfConnection && frame.stream != 0 { throw broken("§6: wrong stream", frame) }
        if isOfStream, frame.kind != HTTP2FrameKind.priority { try expectOpen(frame) }
        switch frame.kind {
        case HTTP2FrameKind.data: try takeData(frame)
        case HTTP2FrameKind.headers:
            let block = try frame.unpadded().dropFirst(frame.flags & HTTP2Flags.priority != 0 ? 5 : 0)
            openBlock = (frame.stream, frame.flags, Array(block))
            try takeBlock(frame)
        case HTTP2FrameKind.continuation:
            guard openBlock != nil else { throw broken("§6.10: no block is open", frame) }
            openBlock?.bytes += frame.payload
            try takeBlock(frame)
        case HTTP2FrameKind.reset:
            guard frame.payload.count == 4, let code = frame.number(at: 0) else { throw broken("§6.4: length", frame) }
            streams[frame.stream]?.reset = HTTP2ErrorCode(rawValue: code)
        case HTTP2FrameKind.settings: try takeSettings(frame)
        case HTTP2FrameKind.pushPromise: throw broken("§8.4: nobody asked for a push", frame)
        case HTTP2FrameKind.ping:
            guard frame.payload.count == 8 else { throw broken("§6.7: length", frame) }
            if frame.flags & HTTP2Flags.acknowledgement != 0 { pongs.append(frame.payload) } else { try send(.ping(frame.payload, acknowledges: true)) }
        case HTTP2FrameKind.goAway:
            guard let last = frame.number(at: 0), let code = frame.number(at: 4) else { throw broken("§6.8: length", frame) }
            // §6.8: the last stream may be lowered, never raised.
            if let before = goAways.last, last > before.last { throw broken("§6.8: the last stream rises", frame) }
            goAways.append((last, HTTP2ErrorCode(rawValue: code)))
        case HTTP2FrameKind.windowUpdate:
            guard frame.payload.count == 4, let increment = frame.number(at: 0), increment > 0, increment >> 31 == 0 else {
                throw broken("§6.9: increment", frame)
            }
            if frame.stream == 0 { sendWindow += Int(increment) } else { streams[frame.stream]?.sendWindow += Int(increment) }
            guard max(sendWindow, streams[frame.stream]?.sendWindow ?? 0) <= 0x7FFF_FFFF else { throw broken("§6.9.1: the window overflows", frame) }
        default: return
        }
    }

    private func expectOpen(_ frame: HTTP2Frame) throws {
        guard let stream = streams[frame.stream] else { throw broken("§5.1: the stream is idle", frame) }
        if stream.reset != nil { throw broken("§5.1, §5.4.2: a frame after RST_STREAM", frame) }
        if stream.isEnded, frame.kind != HTTP2FrameKind.reset { throw broken("§5.1: a frame after END_STREAM", frame) }
    }

    private func takeData(_ frame: HTTP2Frame) throws {
        guard streams[frame.stream]?.fields != nil else { throw broken("§8.1: DATA before the answer's fields", frame) }
        let length = frame.payload.count
        receiveWindow -= length
        streams[frame.stream]?.receiveWindow -= length
        if length > 0, receiveWindow < 0 || (streams[frame.stream]?.receiveWindow ?? 0) < 0 { throw broken("§6.9.1: more than the window allows", frame) }
        streams[frame.stream]?.body += try frame.unpadded()
        let ends = frame.flags & HTTP2Flags.endStream != 0
        if ends { try endStream(frame) }
        guard givesWindowsBack, length > 0 else { return }
        try send([.windowUpdate(0, UInt32(length))] + (ends ? [] : [.windowUpdate(frame.stream, UInt32(length))]))
    }

    private func takeBlock(_ frame: HTTP2Frame) throws {
        guard frame.flags & HTTP2Flags.endHeaders != 0, let block = openBlock else { return }
        openBlock = nil
        let fields = try reader.read(block.bytes)
        let ends = block.flags & HTTP2Flags.endStream != 0
        let isTrailer = streams[frame.stream]?.fields != nil
        if let rule = Self.brokenRule(fields, isTrailer: isTrailer) { throw TestFailure.unreadable("RFC 9113 \(rule): \(fields)") }
        if isTrailer {
            guard ends else { throw broken("§8.1: trailers without END_STREAM", frame) }
        } else if let status = Int(fields[0].value), status / 100 == 1 {
            // §8.6: there is no 101. §8.1: an interim answer does not end the stream.
            // RFC 9110 §8.6: an interim answer has no length.
            guard status != 101, !ends, !fields.contains(where: { $0.name == "content-length" }) else {
                throw broken("§8.1, §8.6: an interim answer \(status)", frame)
            }
            streams[frame.stream]?.interim.append(status)
            return
        } else {
            streams[frame.stream]?.fields = fields
        }
        if ends { try endStream(frame) }
    }

    /// Which rule about fields an answer's or a trailer's break (§8.2, §8.3), or nil.
    static func brokenRule(_ fields: [(name: String, value: String)], isTrailer: Bool) -> String? {
        let pseudo = fields.filter { $0.name.hasPrefix(":") }
        if isTrailer {
            if !pseudo.isEmpty { return "§8.1: a pseudo-header field in trailers" }
        } else if pseudo.count != 1 || fields.first?.name != ":status" || fields.first?.value.wholeMatch(of: /[1-5]\d\d/) == nil {
            return "§8.3.2: :status once and first"
        }
        for (name, value) in fields.drop(while: { $0.name.hasPrefix(":") }) {
            if name.wholeMatch(of: /[!#$%&'*+\-.^_`|~0-9a-z]+/) == nil { return "§8.2.1: field name \(name.debugDescription)" }
            if value.utf8.contains(where: { $0 == 0 || $0 == 10 || $0 == 13 }) || value.wholeMatch(of: /([ \t].*|.*[ \t])/) != nil {
                return "§8.2.1: value of \(name)"
            }
            if ["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"].contains(name) { return "§8.2.2: \(name)" }
        }
        return nil
    }

    private func endStream(_ frame: HTTP2Frame) throws {
        streams[frame.stream]?.isEnded = true
        guard let stream = streams[frame.stream], let fields = stream.fields else { throw broken("§8.1: an end without an answer", frame) }
        let lengths = fields.filter { $0.name == "content-length" }.map(\.value)
        let isBodiless = stream.isToHEAD || ["204", "304"].contains(fields[0].value)
        // §8.1.1: the length is that of all DATA; RFC 9110 §9.3.2: none for HEAD.
        if isBodiless ? !stream.body.isEmpty : !(lengths.isEmpty || lengths == ["\(stream.body.count)"]) {
            throw TestFailure.unreadable("RFC 9113 §8.1.1: content-length \(lengths), \(stream.body.count) bytes of DATA")
        }
    }

    private func takeSettings(_ frame: HTTP2Frame) throws {
        if frame.flags & HTTP2Flags.acknowledgement != 0 {
            guard frame.payload.isEmpty, !unacknowledged.isEmpty else { throw broken("§6.5: an acknowledgement of nothing", frame) }
            settingsAcknowledged += 1
            for (identifier, value) in unacknowledged.removeFirst() { comesIntoForce(identifier, value) }
            return
        }
        guard frame.payload.count % 6 == 0 else { throw broken("§6.5: length", frame) }
        for offset in stride(from: 0, to: frame.payload.count, by: 6) {
            let identifier = UInt16(frame.payload[offset]) << 8 | UInt16(frame.payload[offset + 1])
            let value = frame.number(at: offset + 2) ?? 0
            let isAllowed =
                switch identifier {
                // §6.5.2: a server does not set this to anything but 0.
                case HTTP2Setting.enablePush: value == 0
                case HTTP2Setting.initialWindowSize: value <= 0x7FFF_FFFF
                case HTTP2Setting.frameSizeMax: (16_384...16_777_215).contains(value)
                default: true
                }
            guard isAllowed else { throw broken("§6.5.2: setting \(identifier) is \(value)", frame) }
            if identifier == HTTP2Setting.initialWindowSize {
                let change = Int(value) - Int(peerSettings[identifier] ?? 65_535)
                for stream in streams.keys { streams[stream]?.sendWindow += change }
            }
            peerSettings[identifier] = value
        }
        try send(.settingsAcknowledgement)
    }

    private func comesIntoForce(_ identifier: UInt16, _ value: UInt32) {
        switch identifier {
        case HTTP2Setting.initialWindowSize:
            // §6.9.2: every stream's window changes by the difference, below zero too.
            for stream in streams.keys { streams[stream]?.receiveWindow += Int(value) - initialWindow }
            initialWindow = Int(value)
        case HTTP2Setting.frameSizeMax: frameSizeMax = Int(value)
        case HTTP2Setting.headerTableSize: reader.acknowledged(tableSizeLimit: Int(value))
        default: return
        }
    }

    /// What a frame of this side changes in the account.
    func keepAccount(_ frame: HTTP2Frame) {
        switch frame.kind {
        case HTTP2FrameKind.settings where frame.flags & HTTP2Flags.acknowledgement == 0:
            unacknowledged.append(
                stride(from: 0, to: frame.payload.count - frame.payload.count % 6, by: 6).map {
                    (UInt16(frame.payload[$0]) << 8 | UInt16(frame.payload[$0 + 1]), frame.number(at: $0 + 2) ?? 0)
                })
        case HTTP2FrameKind.headers where streams[frame.stream] == nil:
            streams[frame.stream] = Stream(receiveWindow: initialWindow, sendWindow: Int(peerSettings[HTTP2Setting.initialWindowSize] ?? 65_535))
        case HTTP2FrameKind.data:
            sendWindow -= frame.payload.count
            streams[frame.stream]?.sendWindow -= frame.payload.count
        case HTTP2FrameKind.windowUpdate:
            let increment = Int(frame.number(at: 0) ?? 0)
            if frame.stream == 0 { receiveWindow += increment } else { streams[frame.stream]?.receiveWindow += increment }
        default: return
        }
    }
}
