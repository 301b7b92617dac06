// Bytes: the search, the checksum, the clocks, and what a failed call says.
//
// Promises: each is compared with a plain definition or a published value.
// Must not know: who searches, sums or waits.

import Glibc
import Platform
import Testing

@Suite struct ByteSearchTests {
    private func find(_ byte: UInt8, in bytes: [UInt8], from start: Int) -> Int? {
        ByteSearch.firstIndex(of: byte, in: bytes.span, from: start)
    }

    @Test("the first index at or after the start, as a plain loop finds it")
    func everywhere() {
        let bytes: [UInt8] = [1, 2, 1, 0, 255, 1]
        for byte in [0, 1, 2, 3, 255] as [UInt8] {
            for start in 0...bytes.count {
                #expect(find(byte, in: bytes, from: start) == (start..<bytes.count).first { bytes[$0] == byte })
            }
        }
    }

    @Test("nothing is found in nothing, nor behind the end of the span that was given")
    func edges() {
        #expect(find(0, in: [], from: 0) == nil)
        let bytes: [UInt8] = [7, 8, 9]
        #expect(ByteSearch.firstIndex(of: 9, in: bytes.span.extracting(0..<2), from: 0) == nil)
        #expect(ByteSearch.firstIndex(of: 9, in: bytes.span.extracting(1..<3), from: 1) == 1)
    }

    @Test("a start behind the end is our own fault: the process stops")
    func beyond() async {
        await #expect(processExitsWith: .failure) { _ = ByteSearch.firstIndex(of: 0, in: [1 as UInt8].span, from: 2) }
    }
}

@Suite struct CRC32CTests {
    private func checksum(_ bytes: [UInt8], continuing seed: UInt32 = 0) -> UInt32 { CRC32C.checksum(bytes.span, continuing: seed) }

    @Test("the check value and the examples of RFC 3720 §B.4")
    func vectors() {
        #expect(checksum(Array("123456789".utf8)) == 0xE306_9283)
        #expect(checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(checksum(Array(0..<32)) == 0x46DD_794E)
        #expect(checksum((0..<32).reversed()) == 0x113F_DB5C)
        #expect(checksum([]) == 0)
    }

    @Test("every length and alignment agrees with the bitwise definition, and parts continue to the whole")
    func lengths() {
        let bytes = (0..<80).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
        func bitwise(_ bytes: ArraySlice<UInt8>) -> UInt32 {
            var remainder = UInt32.max
            for byte in bytes {
                remainder ^= UInt32(byte)
                for _ in 0..<8 { remainder = remainder >> 1 ^ (remainder & 1 == 1 ? 0x82F6_3B78 : 0) }
            }
            return ~remainder
        }
        for start in 0..<9 {
            for end in start...bytes.count {
                let expected = bitwise(bytes[start..<end])
                if CRC32C.checksum(bytes.span.extracting(start..<end)) != expected { Issue.record("\(start)..<\(end)") }
                let middle = (start + end) / 2
                let first = CRC32C.checksum(bytes.span.extracting(start..<middle))
                if CRC32C.checksum(bytes.span.extracting(middle..<end), continuing: first) != expected { Issue.record("\(start)..<\(middle)..<\(end)") }
            }
        }
    }
}

@Suite struct ClockTests {
    @Test("monotonic time never goes back, and the coarse clock is the same clock")
    func monotonic() {
        var last = Clock.monotonicNanoseconds()
        for _ in 0..<1_000 {
            let now = Clock.monotonicNanoseconds()
            #expect(now >= last)
            last = now
        }
        let coarse = Clock.coarseMilliseconds()
        #expect(coarse <= Clock.monotonicNanoseconds() / 1_000_000)
    }

    @Test("wall time is milliseconds since 1970: after 2025, before 2100")
    func wall() {
        #expect((1_735_689_600_000..<4_102_444_800_000).contains(Clock.wallMilliseconds()))
    }
}

@Suite struct SystemErrorTests {
    @Test("a failure names the call, the file and the reason")
    func text() {
        #expect("\(SystemError(operation: "fdatasync", path: "log/1.jsonl", code: EIO))" == "fdatasync log/1.jsonl: Input/output error")
        #expect("\(SystemError(operation: "accept4", code: EMFILE))" == "accept4: Too many open files")
    }

    @Test("the reasons that programs branch on", arguments: [EAGAIN, EADDRINUSE, EMFILE, ENFILE, ENOENT, EIO])
    func branches(code: Int32) {
        let error = SystemError(operation: "call", code: code)
        #expect(error.isWouldBlock == (code == EAGAIN))
        #expect(error.isAddressInUse == (code == EADDRINUSE))
        #expect(error.isOutOfDescriptors == (code == EMFILE || code == ENFILE))
        #expect(error.isMissing == (code == ENOENT))
    }
}

@Suite struct ProcessTests {
    @Test("the descriptor limit in force is at least what it was, and asking twice changes nothing")
    func descriptors() {
        var before = rlimit()
        #expect(unsafe getrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &before) == 0)
        let raised = DescriptorLimit.raiseToHardLimit()
        #expect(raised >= Int(clamping: before.rlim_cur))
        #expect(DescriptorLimit.raiseToHardLimit() == raised)
        #expect(Processors.count >= 1)
    }
}
