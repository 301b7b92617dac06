// Who a log is: the small file `identity`, made when the log is created.
//
//     {"log_id":"<32 hexadecimal digits>","hash_key":"<32 hexadecimal digits>"}  LF
//
// Promises: the id stays for as long as the file does. It is derived in the end: where it is lost or damaged, a new
// one is drawn and the index files, whose hashes need the old key, are made again; no record depends on it. One that may
// not be read now is not replaced. Whoever knows the key can send ids that collide, so it is in no message.
// Must not know: what the id is for.

import Platform

struct Identity: Sendable, Equatable {
    static let fileName = "identity"
    private static let unfinishedName = "identity.new"
    private static let bytesMax = 256

    /// Drawn at random; tells this log from every other.
    let logID: (UInt64, UInt64)
    let hashKey: (UInt64, UInt64)

    static func == (a: Identity, b: Identity) -> Bool { a.logID == b.logID && a.hashKey == b.hashKey }

    private init() {
        var generator = SystemRandomNumberGenerator()
        logID = (generator.next(), generator.next())
        hashKey = (generator.next(), generator.next())
    }

    /// That of the log in `directory`; a new one, kept there, where there is none. A disk that cannot keep it now
    /// stops nothing: the next start draws another.
    static func read(orMakeIn directory: any Directory, names: [String]) throws(SystemError) -> (identity: Identity, isNew: Bool) {
        do throws(SystemError) {
            if names.contains(fileName) { return (try Identity(in: directory), false) }
        } catch {
            if error.isPermission || error.isOutOfDescriptors { throw error }
        }
        let drawn = Identity()
        _ = try? drawn.keep(in: directory, names: names)
        return (drawn, true)
    }

    /// That of the log in `directory`, which is only read.
    init(in directory: any Directory) throws(SystemError) {
        let file = try directory.open(Self.fileName)
        var bytes = [UInt8](repeating: 0, count: Self.bytesMax)
        let count = try file.read(at: 0, count: bytes.count, into: &bytes, from: 0)
        guard let identity = Identity(parsing: bytes.span.extracting(0..<count)) else {
            throw SystemError(operation: "pread", path: Self.fileName, code: SystemError.inputOutput)
        }
        self = identity
    }

    private init?(parsing text: Span<UInt8>) {
        var words: [UInt64] = []
        for start in [11, 27, 57, 73] {
            guard text.count == 92, let word = Hexadecimal.number(text.extracting(start..<(start + 16))) else { return nil }
            words.append(word)
        }
        logID = (words[0], words[1])
        hashKey = (words[2], words[3])
        // Whatever else the bytes are, they are not what `text` would write.
        let mine = self.text
        guard text.indices.allSatisfy({ text[$0] == mine[$0] }) else { return nil }
    }

    /// 32 hexadecimal digits.
    var logIDText: String { Hexadecimal.text(logID.0, digits: 16) + Hexadecimal.text(logID.1, digits: 16) }

    /// The file's content.
    private var text: [UInt8] {
        let key = Hexadecimal.text(hashKey.0, digits: 16) + Hexadecimal.text(hashKey.1, digits: 16)
        return Array("{\"log_id\":\"\(logIDText)\",\"hash_key\":\"\(key)\"}\n".utf8)
    }

    private func keep(in directory: any Directory, names: [String]) throws(SystemError) {
        if names.contains(Self.unfinishedName) { try directory.remove(Self.unfinishedName) }
        let file = try directory.create(Self.unfinishedName)
        try file.writeWhole(text, at: 0)
        try file.synchronizeData()
        try directory.rename(Self.unfinishedName, to: Self.fileName)
        try directory.synchronize()
    }
}
