// The file `expectations`: which announcements were open, through a position. Derived, and made again on any fault
// (invariant 6), so that a start need not read the history for them.
//
// Little-endian:
//
//     at byte    0 "clogexpt"            24 log's id, low half (8)
//                8 format version (4)    32 through which position (8)
//               12 zero (4)              40 entries (8)
//               16 log's id, high (8)
//     from      48 an entry: sequence of the announcement (8), when it falls due in ms since 1970 (8), or 2^63 - 1 where it
//                  is overdue already, or 0 where that is doubtful and it is to be looked at; ascending by sequence
//     the last 4   CRC-32C of all bytes before
//
// Valid is a file of the size that its count says, whose checksum holds, of this log, through no position that the log
// does not have, with entries at or below that position and none that was due before 1970. Promises: memory follows the file's size, which is compared with
// the log's position before anything is allocated. Must not know: when it is written, what is expected.

import Platform

enum ExpectationFile {
    static let name = "expectations"
    private static let unfinishedName = "expectations.new"
    /// "clogexpt"
    private static let magic: UInt64 = 0x7470_7865_676F_6C63
    private static let version: UInt32 = 1
    private static let headerBytes = 48
    private static let entryBytes = 16
    private static let checksumBytes = 4

    struct Content: Sendable {
        var through: UInt64
        var entries: [Expectations.Entry] = []
    }

    /// Writes the file beside its name, and renames it. Nothing depends on its surviving a power loss, so the directory
    /// is not synced for it.
    static func write(_ content: Content, logID: (UInt64, UInt64), to directory: any Directory) throws(SystemError) {
        if try directory.names().contains(unfinishedName) { try directory.remove(unfinishedName) }
        var bytes = [UInt8](repeating: 0, count: headerBytes + content.entries.count * entryBytes + checksumBytes)
        LittleEndian.store(magic, in: &bytes, at: 0)
        LittleEndian.store(version, in: &bytes, at: 8)
        LittleEndian.store(logID.0, in: &bytes, at: 16)
        LittleEndian.store(logID.1, in: &bytes, at: 24)
        LittleEndian.store(content.through, in: &bytes, at: 32)
        LittleEndian.store(UInt64(content.entries.count), in: &bytes, at: 40)
        var position = headerBytes
        for entry in content.entries.sorted(by: { $0.announcement < $1.announcement }) {
            LittleEndian.store(entry.announcement, in: &bytes, at: position)
            LittleEndian.store(UInt64(bitPattern: entry.due), in: &bytes, at: position + 8)
            position += entryBytes
        }
        LittleEndian.store(CRC32C.checksum(bytes.span.extracting(0..<position)), in: &bytes, at: position)
        let file = try directory.create(unfinishedName)
        try file.writeWhole(bytes, at: 0)
        try file.synchronizeData()
        try directory.rename(unfinishedName, to: name)
    }

    static func remove(from directory: any Directory) throws(SystemError) {
        if try directory.names().contains(name) { try directory.remove(name) }
    }

    /// What the file says; nil where it is not valid for a log of this id, whose position is `durable`.
    static func read(from directory: any Directory, logID: (UInt64, UInt64), durable: UInt64) throws(SystemError) -> Content? {
        let file = try directory.open(name)
        let size = try file.size()
        let countMax = (size - Int64(headerBytes + checksumBytes)) / Int64(entryBytes)
        guard size >= Int64(headerBytes + checksumBytes), UInt64(countMax) <= durable else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(size))
        guard try file.read(at: 0, count: bytes.count, into: &bytes, from: 0) == bytes.count else { return nil }
        let span = bytes.span
        let through = LittleEndian.load64(span, at: 32)
        guard LittleEndian.load64(span, at: 0) == magic, LittleEndian.load32(span, at: 8) == version, LittleEndian.load32(span, at: 12) == 0,
            (LittleEndian.load64(span, at: 16), LittleEndian.load64(span, at: 24)) == logID, through <= durable,
            LittleEndian.load64(span, at: 40) == UInt64(countMax),
            bytes.count == headerBytes + Int(countMax) * entryBytes + checksumBytes,
            CRC32C.checksum(span.extracting(0..<(bytes.count - checksumBytes))) == LittleEndian.load32(span, at: bytes.count - checksumBytes)
        else { return nil }
        var content = Content(through: through)
        content.entries.reserveCapacity(Int(countMax))
        for index in 0..<Int(countMax) {
            let position = headerBytes + index * entryBytes
            let entry = Expectations.Entry(
                announcement: LittleEndian.load64(span, at: position), due: Int64(bitPattern: LittleEndian.load64(span, at: position + 8)))
            guard entry.announcement > content.entries.last?.announcement ?? 0, entry.announcement <= through, entry.due >= 0 else { return nil }
            content.entries.append(entry)
        }
        return content
    }
}
