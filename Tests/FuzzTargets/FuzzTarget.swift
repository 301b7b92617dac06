// What is fuzzed: five doors that bytes from strangers come in by, and the properties that hold for all bytes.
//
// Promises: `check` is a pure function of its input: the same bytes, the same verdict, whatever was checked
// before. It throws where a property is broken; where the code under test traps, it traps.
// Must not know: who draws the inputs. libFuzzer does in Tests/FuzzProgram; FuzzTests replays what is committed.

/// A door, by the name that `Tests/fuzz` and the folders of Corpus and Failures know it by.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// Bytes of one HTTP/1.1 connection.
    case http1
    /// Both ends of one HTTP/2 connection, in the text form of `ConversationText`.
    case http2
    /// The body of a callback.
    case json
    /// The files of a log directory, in the text form of `SegmentText`.
    case recovery
    /// The index file of a segment, in the text form of `IndexText`.
    case index

    /// Holds `input` against every property of the target.
    public func check(_ input: [UInt8]) throws(BrokenProperty) {
        switch self {
        case .http1: try HTTP1Properties.check(input)
        case .http2: try HTTP2Properties.check(input)
        case .json: try JSONProperties.check(input)
        case .recovery: try RecoveryProperties.check(input)
        case .index: try IndexProperties.check(input)
        }
    }
}

/// A property that an input broke.
public struct BrokenProperty: Error, CustomStringConvertible {
    /// The claim that does not hold, and what was seen instead.
    public let description: String
}

/// The claim holds, or the input has broken a property.
func hold(_ claim: Bool, _ text: @autoclosure () -> String) throws(BrokenProperty) {
    if !claim { throw BrokenProperty(description: text()) }
}

extension [UInt8] {
    /// A number drawn from the bytes (FNV-1a, 64 bits): decides what an input leaves open, such as where it is
    /// split, without spending bytes of it, so that a corpus holds messages as they are on the wire.
    var drawnNumber: UInt64 {
        var number: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in self { number = (number ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return number ^ number >> 32
    }

    /// Two places to split these bytes at, in order, drawn from them.
    var drawnCuts: [Int] {
        guard count > 1 else { return [] }
        let number = drawnNumber
        let cuts = [Int(number % UInt64(count)), Int(number / UInt64(count) % UInt64(count))]
        return cuts.sorted()
    }
}
