// The segment that the writer appends to.
//
// Promises: knows where its lines end and where the line feeds that were written ahead of them do, and notices a file that
// somebody has cut short. Must not know: what a line is, when it is written.

import Platform

struct WrittenSegment {
    let file: any File
    let first: UInt64
    /// Behind the last line.
    var size: Int64
    /// Behind the line feeds that were written ahead; no byte of the file lies beyond it.
    var padded: Int64
    /// When the first record in it was received; nil while there is none.
    var earliest: Timestamp?
    /// A segment behind it was perhaps begun: where its name stays, it ends this one (API.md §7), and no more
    /// records may go in here.
    var isLeft = false

    /// Invariant 5 for what was synced before: with a file that was cut short, by logrotate or by hand, records have gone. A
    /// line written on behind the hole would hide that.
    func checkLength() throws(SystemError) {
        let left = try file.size()
        guard left < size else { return }
        throw SystemError(operation: "fstat", path: "\(file.name), of which \(left) of \(size) bytes are left", code: SystemError.inputOutput)
    }

    /// Takes the line feeds away that nothing will be written over. Where that fails they stay, and mean nothing.
    mutating func trim() {
        guard padded > size else { return }
        // A file that was cut short would grow by it.
        if let left = try? file.size(), left > size { _ = try? file.truncate(to: size) }
        padded = size
    }
}
