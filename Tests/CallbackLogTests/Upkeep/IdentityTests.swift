// The identity of a log: drawn once, read ever after, and no reason not to start.
//
// Promises: on a MemoryDisk, through recovery as every start does it. Must not know: what the id is for.

import Glibc
import Platform
import Testing

@testable import CallbackLog

@Suite struct IdentityTests {
    private func identity(_ disk: MemoryDisk) throws -> Identity { try Identity.read(orMakeIn: disk, names: try disk.names()).identity }

    @Test("it is drawn when there is none, and the same at every start after that")
    func kept() throws {
        let disk = MemoryDisk()
        disk.delete("identity")
        let drawn = try identity(disk)
        #expect(try identity(disk) == drawn)
        #expect(try Recovery(disk.afterKill()).hash.key == drawn.hashKey)
        #expect(try identity(disk.afterPowerLoss()) == drawn)
        let other = MemoryDisk()
        other.delete("identity")
        #expect(try identity(other) != drawn)
    }

    @Test("one that is cut short, longer, empty or changed in any byte is drawn anew; the log opens", arguments: 0...93)
    func damaged(length: Int) throws {
        let sound = MemoryDisk().allFiles["identity"] ?? []
        var bytes = length < sound.count ? Array(sound[..<length]) : sound + [0x0A]
        if length == 93 {
            bytes = sound
            bytes[40] = 0x47
        }
        let disk = MemoryDisk(["identity": bytes])
        let drawn = try Recovery(disk).hash.key
        #expect(drawn != (0x1011_1213_1415_1617, 0x1819_1a1b_1c1d_1e1f))
        #expect(try Recovery(disk).hash.key == drawn)
    }

    @Test("one that may not be read, or for which there is no descriptor, is not replaced: the start fails", arguments: [EACCES, EPERM, EMFILE])
    func refused(code: Int32) throws {
        let disk = MemoryDisk(MemoryDisk().allFiles, hasFixedIdentity: false)
        let before = try identity(disk)
        disk.inject(Fault(.fails(code), on: [.open]))
        #expect(throws: LogOpenFailure.self) { try Recovery(disk) }
        disk.lift()
        #expect(try identity(disk) == before)
    }

    @Test("that it is another is said where there is a log that had one")
    func said() throws {
        #expect(try Recovery(MemoryDisk(hasFixedIdentity: false)).report.hasNewIdentity == false)
        let log = try SegmentedLog()
        let disk = MemoryDisk(log.disk.allFiles, hasFixedIdentity: false)
        #expect(try Recovery(disk.afterKill()).report.hasNewIdentity == false)
        disk.delete("identity")
        #expect(try Recovery(disk.afterKill()).report.hasNewIdentity)
    }

    @Test("a disk that cannot keep it now stops nothing")
    func unkept() throws {
        let disk = MemoryDisk()
        disk.delete("identity")
        disk.inject(Fault(.fails(SystemError.noSpace), on: [.rename]))
        #expect(try Recovery(disk).next == 1)
        disk.lift()
        #expect(try identity(disk) == (try identity(disk)))
    }
}
