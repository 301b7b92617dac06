// A secret out of the configuration.
//
// Promises: nothing that prints values, a log line or a debugger's description included, shows it (invariant 9).
// Must not know: what it proves.

public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public var description: String { "(hidden)" }
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
