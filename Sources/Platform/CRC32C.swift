// CRC-32C over bytes.
//
// Promises: the value of RFC 3720 §B.4 ("123456789" → e3069283); about 18 ns for 255 bytes where the processor
// has SSE4.2. Must not know: what it protects.

import CPlatform

/// The checksum of RFC 3720 §B.4 (Castagnoli), by the processor where it can.
public enum CRC32C {
    /// The checksum of `bytes`, continued from `seed` (0 to begin).
    public static func checksum(_ bytes: Span<UInt8>, continuing seed: UInt32 = 0) -> UInt32 {
        // The pointer lives for the call only; the length is the span's own.
        unsafe bytes.withUnsafeBufferPointer { unsafe cplatform_crc32c(seed, $0.baseAddress, $0.count) }
    }
}
