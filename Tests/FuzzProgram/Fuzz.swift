// What libFuzzer calls: the target that FUZZ_TARGET names, with one input after the other.
//
// Promises: a broken property ends the process, as a trap does, so that libFuzzer keeps the input.
// Must not know: what the properties are. Built by Tests/fuzz alone: `main` is libFuzzer's.

import FuzzTargets
import Glibc

private let target: FuzzTarget = {
    // The environment is not changed while this runs; the string is copied at once.
    let name = unsafe getenv("FUZZ_TARGET").map { unsafe String(cString: $0) } ?? ""
    guard let target = FuzzTarget(rawValue: name) else { preconditionFailure("no such FUZZ_TARGET: \(name)") }
    return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    // libFuzzer's bytes are `size` and live for the call; they are copied first.
    let input = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    do throws(BrokenProperty) {
        try target.check(input)
    } catch {
        // Said first: an optimized trap has no words.
        var line = "broken: \(error)\n"
        line.withUTF8 { text in unsafe _ = write(STDERR_FILENO, text.baseAddress, text.count) }
        preconditionFailure()
    }
    return 0
}
