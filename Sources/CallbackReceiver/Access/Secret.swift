// A secret out of the configuration.
//
// Promises: nothing that prints values, a log line or a debugger's description included, shows it (invariant 9).
// Must not know: what it proves.

/// A secret that a person or a program chose.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// The secret. For comparing in constant time alone.
    public let bytes: [UInt8]

    /// Of these bytes, as they are.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public var description: String { "(hidden)" }
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
