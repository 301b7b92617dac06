// What a record says of itself, for the index: told by whoever knows what payloads mean.
//
// Promises: a narrow door, as Submission's is: the log asks with a record's members and is told status, class and
// keys; it never looks into a payload. The versions say by which rules (invariant 6).
// Must not know: JSON, statuses, verdicts.

/// Which rules derived what an index file holds; it is made again when they differ (invariant 6).
public struct DerivedVersions: Equatable, Sendable {
    /// `CallbackDecoder.version`.
    public var decoder: UInt32
    /// That of the verdict table.
    public var verdicts: UInt32

    /// Of these versions.
    public init(decoder: UInt32, verdicts: UInt32) {
        self.decoder = decoder
        self.verdicts = verdicts
    }
}

/// Filled in for one record at a time, its storage reused.
public struct RecordDescription: Sendable {
    /// What a record can be found by beside its request_id. The number is part of the hash in the index.
    public enum Key: UInt8, Sendable, CaseIterable {
        case reference = 1
        case sessionID, whatsappMessageID, crispFingerprint
    }

    /// Of a callback, by the present decoder; the numbers are the describer's own, below 4. Of other records their kind
    /// says enough.
    public var status: UInt8 = 0
    /// Of a callback, by the present verdict table; the numbers are the describer's own, below 16.
    public var failureClass: UInt8 = 0
    /// Of the keys, in the order in which they were added.
    private(set) var hashes: [UInt64] = []
    private var bytes: [UInt8] = []
    private let hash: KeyedHash

    init(hash: KeyedHash) { self.hash = hash }

    /// Has `describe` tell of a record of this kind, instead of what was told before. Returns the record's state.
    mutating func take(
        _ kind: RecordKind, _ members: Span<UInt8>, from describe: (RecordKind, Span<UInt8>, inout RecordDescription) -> Void
    ) -> RecordState {
        status = 0
        failureClass = 0
        hashes.removeAll(keepingCapacity: true)
        describe(kind, members, &self)
        return RecordState(kind, status: status, failureClass: failureClass)
    }

    /// The record is found by the value that is appended, unescaped, from now on. Each key once, by value and not by how
    /// it was written.
    public mutating func add(_ key: Key, appending append: (inout [UInt8]) -> Void) {
        guard hashes.count < Key.allCases.count else { return }
        bytes.removeAll(keepingCapacity: true)
        append(&bytes)
        hashes.append(hash.hash(bytes.span, domain: key.rawValue))
    }
}
