// A waker runs what it was set to, and is none the heavier for it.
//
// Must not know: who uses it.

import Synchronization
import Testing

@testable import Platform

@Suite struct WakerTests {
    @Test("it runs what was set last, each time, and as deep in the stack as the first time")
    func depth() {
        let waker = Waker()
        waker.wake()
        let places = Mutex<[Int]>([])
        waker.set {
            var here = 0
            let place = unsafe withUnsafePointer(to: &here) { Int(bitPattern: $0) }
            places.withLock { $0.append(place) }
        }
        for _ in 0..<1_000 { waker.wake() }
        let seen = places.withLock { $0 }
        #expect(seen.count == 1_000 && Set(seen).count == 1)
    }
}
