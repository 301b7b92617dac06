// Header blocks of answers, read with libnghttp2's own HPACK decoder (RFC 7541).
//
// Promises: one decoder for a connection, as its encoder has it; a block that cannot be read is an issue.
// Must not know: frames.

import CNghttp2
import Testing

@safe final class HeaderDecoder {
    private var inflater: OpaquePointer?

    init() { unsafe nghttp2_hd_inflate_new(&inflater) }

    deinit { unsafe nghttp2_hd_inflate_del(inflater) }

    func fields(of block: [UInt8]) -> Fields {
        var fields: Fields = []
        var position = 0
        while true {
            var field = unsafe nghttp2_nv()
            var flags: CInt = 0
            let count = unsafe block.withUnsafeBufferPointer { bytes in
                unsafe nghttp2_hd_inflate_hd2(
                    inflater, &field, &flags, bytes.baseAddress.map { unsafe $0 + position }, block.count - position, 1)
            }
            guard count >= 0 else {
                Issue.record("the answer's header block cannot be read")
                return fields
            }
            position += Int(count)
            if UInt32(flags) & NGHTTP2_HD_INFLATE_EMIT.rawValue != 0 {
                let name = unsafe UnsafeBufferPointer(start: field.name, count: field.namelen)
                let value = unsafe UnsafeBufferPointer(start: field.value, count: field.valuelen)
                unsafe fields.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
            }
            if UInt32(flags) & NGHTTP2_HD_INFLATE_FINAL.rawValue != 0 {
                unsafe nghttp2_hd_inflate_end_headers(inflater)
                return fields
            }
            if UInt32(flags) & NGHTTP2_HD_INFLATE_EMIT.rawValue == 0, position == block.count { return fields }
        }
    }
}
