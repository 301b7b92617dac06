// A token of the API, and what its scope allows (API.md §4).
//
// Promises: plain values; a key is nowhere in them, only its digest. Must not know: where tokens are kept.

import CallbackLog
import Platform

/// What a token is for.
public enum TokenScope: String, Sendable, CaseIterable {
    /// Everything that only asks.
    case read
    /// Announcing requests, too, and what was refused with its bodies.
    case write
    /// The metrics alone: what watches the server need not see whom one writes to.
    case metrics
}

/// A token as it is kept.
public struct Token: Sendable, Equatable {
    /// Hexadecimal digits of an identifier and of a key: 64 and 128 random bits. So much cannot be guessed, and needs no
    /// hash that is slow on purpose.
    public static let identifierDigits = 16
    /// The same of a key.
    public static let keyDigits = 32
    /// The longest name, in bytes.
    public static let nameBytesMax = 64

    /// As a number: its digits are the identifier.
    let number: UInt64
    /// For people, at most `nameBytesMax` bytes.
    public let name: String
    /// What it may do.
    public let scope: TokenScope
    /// When it was made.
    public let created: Timestamp
    /// SHA-256 of the key's digits.
    let digest: [UInt8]

    /// The user of HTTP Basic: `identifierDigits` hexadecimal digits.
    public var identifier: String { Hexadecimal.text(number, digits: Self.identifierDigits) }

    /// The number whose identifier these bytes are; nil for anything else.
    static func number(identifier: Span<UInt8>) -> UInt64? { identifier.count == identifierDigits ? Hexadecimal.number(identifier) : nil }

    /// A name that can stand in the file as it is: 1 to 64 bytes of UTF-8 without quotation marks, backslashes and what
    /// could end a line or steer a terminal.
    public static func isName(_ name: String) -> Bool {
        1...nameBytesMax ~= name.utf8.count
            && name.unicodeScalars.allSatisfy { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: false
                default: scalar != "\"" && scalar != "\\"
                }
            }
    }
}

/// What whoever asks may do.
struct AccessScopes: OptionSet, Sendable {
    let rawValue: UInt8
    static let read = AccessScopes(rawValue: 1)
    static let write = AccessScopes(rawValue: 2)
    static let metrics = AccessScopes(rawValue: 4)
    static let all: AccessScopes = [.read, .write, .metrics]

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// What a token of this scope allows.
    init(_ scope: TokenScope) {
        self =
            switch scope {
            case .read: .read
            case .write: [.read, .write]
            case .metrics: .metrics
            }
    }

    /// What a route asks for.
    init(asked scope: TokenScope) {
        self =
            switch scope {
            case .read: .read
            case .write: .write
            case .metrics: .metrics
            }
    }
}
