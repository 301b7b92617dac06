// What a record says of its request's state, in one byte, so that millions of records are gone through unread.
//
//     bits 0…3    of a callback what the describer told, 0 to 3; 4 an announcement, 5 an overdue record, 15 what is not served
//     bits 4…7    of a callback the failure class that the describer told
//
// Promises: every record has a state; numbers beyond their bits count as the last one, as in the header of an index.
// Must not know: what the describer's numbers mean.

package struct RecordState: Equatable, Sendable {
    /// Statuses of callbacks are below.
    static let announcement: UInt8 = 4
    static let overdue: UInt8 = 5
    static let unserved: UInt8 = 15

    package let byte: UInt8

    /// The one that `byte` holds; every byte is one.
    init(byte: UInt8) { self.byte = byte }

    /// Of a record of this kind, and what was told of it.
    package init(_ kind: RecordKind, status: UInt8 = 0, failureClass: UInt8 = 0) {
        switch kind {
        case .callback: byte = min(status, Self.announcement - 1) | min(failureClass, 15) << 4
        case .announcement: byte = Self.announcement
        case .overdue: byte = Self.overdue
        case .checkpoint, .unknown: byte = Self.unserved
        }
    }

    package var status: UInt8 { byte & 15 }
    package var failureClass: UInt8 { byte >> 4 }
}
