// A file system of a test's own: small enough to fill to the last byte, on a store that can be made to fail.
//
// Promises: it is mounted for the length of one closure and released with everything below it, whatever the closure
// throws and whoever still uses it; the mount point is fresh. Where mounting is not allowed, `isAvailable` says so.
// Must not know: what is kept on it. Needs root; ext4 needs loop devices and mkfs.ext4.

import Foundation
import Glibc

/// A mounted file system.
public final class Disk {
    /// What it is made of.
    public enum Kind: Sendable, Equatable {
        /// tmpfs.
        case memory
        /// ext4 with a journal on a loop device; the value of its mount option `errors`.
        case ext4(errors: String)
        /// ext4 without a journal: the one that goes on writing when its store works again.
        case ext4WithoutJournal
    }

    /// Where it is mounted.
    public let directory: TemporaryDirectory
    private let kind: Kind
    private let sizeOption: String
    /// The tmpfs with the loop device's image: what an ext4 writes to.
    private var store: TemporaryDirectory?

    /// The image, or what a cut of power left of it.
    private var image = ""
    private var leftByPowerCut: TemporaryDirectory?

    /// Whether this process may mount a tmpfs.
    public static let isAvailable = tries(.memory)
    /// Whether it may mount an ext4 on a loop device, too.
    public static let hasExt4 = tries(.ext4(errors: "continue"))

    private static func tries(_ kind: Kind) -> Bool {
        guard getuid() == 0, InstalledProgram.path(of: "mount") != nil else { return false }
        return (try? with(kind, mebibytes: 8) { _ in }) != nil
    }

    /// Mounts a fresh one, runs the closure, releases it.
    /// - Parameter mebibytes: its size; an ext4 needs some of it for itself.
    public static func with(_ kind: Kind, mebibytes: Int, _ body: (Disk) throws -> Void) throws {
        let disk = try Disk(kind, mebibytes: mebibytes)
        defer { disk.release() }
        try disk.build(mebibytes: mebibytes)
        try body(disk)
    }

    private init(_ kind: Kind, mebibytes: Int) throws {
        directory = try TemporaryDirectory()
        self.kind = kind
        sizeOption = "size=\(mebibytes)m"
    }

    private func build(mebibytes: Int) throws {
        guard kind != .memory else { return try Self.mount(["-t", "tmpfs", "-o", sizeOption + ",mode=755", "tmpfs"], at: directory) }
        let store = try TemporaryDirectory()
        self.store = store
        image = store.path(of: "image")
        // As large as the image, which is sparse: nothing of it can be written once something else has taken the rest.
        try Self.mount(["-t", "tmpfs", "-o", sizeOption + ",mode=755", "tmpfs"], at: store)
        try Self.run("truncate", ["-s", "\(mebibytes - 1)M", image])
        let journal = kind == .ext4WithoutJournal ? ["-O", "^has_journal"] : []
        try Self.run("mkfs.ext4", ["-q", "-F", "-m", "0", "-b", "4096", "-E", "nodiscard"] + journal + [image])
        try mountImage()
    }

    /// `loop` takes a free device and gives it back when the last user of the file system is gone.
    private func mountImage() throws {
        var errors = "continue"
        if case .ext4(let chosen) = kind { errors = chosen }
        try Self.mount(["-t", "ext4", "-o", "loop,errors=\(errors)", image], at: directory)
        // Linux's loop driver calls a write done of which its store took only the first part. So each is one page, which a
        // tmpfs takes or does not; the file system's blocks are as long.
        let device = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8).split(separator: "\n")
            .first { $0.contains(" \(directory.path) ") }?.split(separator: " ").first?.dropFirst("/dev/".count)
        try Data("4".utf8).write(to: URL(fileURLWithPath: "/sys/block/\(device ?? "")/queue/max_sectors_kb"))
    }

    private func release() {
        for place in [directory, store].compactMap(\.self) {
            Self.unmount(place)
            Leftovers.remove(mount: place.path)
        }
    }

    // MARK: Full

    /// Takes every byte that is left.
    /// - Parameter leaving: bytes to leave free, at least.
    public func fill(leaving: Int = 0) throws {
        try Self.occupy(directory.path(of: "ballast"), leaving: leaving)
    }

    /// Gives back what `fill` took.
    public func unfill() throws { try FileManager.default.removeItem(atPath: directory.path(of: "ballast")) }

    /// Bytes that an ordinary user may still take.
    public func freeBytes() throws -> Int { try Self.freeBytes(at: directory.path) }

    private static func freeBytes(at path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfFileSystem(forPath: path)
        return (attributes[.systemFreeSize] as? Int) ?? 0
    }

    /// Writes a file until nothing more fits, in ever smaller pieces; whole pages first, then what a block leaves.
    private static func occupy(_ path: String, leaving: Int) throws {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw TestFailure.system(operation: "open \(path)", errorNumber: errno) }
        defer { close(descriptor) }
        for size in [256 * 1024, 4096, 1024, 1] {
            let piece = [UInt8](repeating: 0x42, count: size)
            while try leaving == 0 || freeBytes(at: path) >= leaving + size {
                let count = unsafe piece.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, size) }
                if count < 0 && errno != ENOSPC { throw TestFailure.system(operation: "write \(path)", errorNumber: errno) }
                if count < size { break }
            }
            if leaving > 0 && size == 4096 { break }
        }
        fsync(descriptor)
    }

    // MARK: Failing

    /// Has the store under an ext4 refuse every block that it does not hold yet: the disk's writes are I/O errors.
    public func breakStore() throws {
        guard let store else { throw TestFailure.unreadable("a tmpfs has no store") }
        try Self.occupy(store.path(of: "ballast"), leaving: 0)
    }

    /// The store takes writes again. What an ext4 makes of it is its own affair: one with a journal stays read-only.
    public func mendStore() throws {
        guard let store else { return }
        try FileManager.default.removeItem(atPath: store.path(of: "ballast"))
    }

    /// What a reboot does: nothing that only the page cache had is left, the file system is checked and mounted again.
    public func mountAnew() throws {
        try Self.run("umount", [directory.path])
        // 1: errors were there and are corrected.
        try Self.run("e2fsck", ["-fy", image], accepting: [0, 1])
        try mountImage()
    }

    /// What a cut of power does: what the device has at this moment is left and nothing of the page cache. The journal is
    /// replayed as the file system is mounted. Whoever wrote must have been killed before.
    public func cutPower() throws {
        let left = try TemporaryDirectory()
        try Self.run("cp", ["--sparse=always", image, left.path(of: "image")])
        try Self.run("umount", [directory.path])
        (leftByPowerCut, image) = (left, left.path(of: "image"))
        try mountImage()
    }

    /// Makes directory and files of an ext4 immutable, for root too (chattr(1)), or takes that back.
    public func setImmutable(_ immutable: Bool) throws {
        // The directory first, and last: while it is, no name in it comes or goes.
        if immutable { try Self.run("chattr", ["+i", directory.path]) }
        let entries = directory.entries.filter { $0 != "lost+found" }.map(directory.path(of:))
        try Self.run("chattr", [immutable ? "+i" : "-i"] + entries)
        if !immutable { try Self.run("chattr", ["-i", directory.path]) }
    }

    // MARK: Mounting

    /// Has an ext4 abort its journal, as after an error of its own: it is read-only until it is mounted anew, whoever writes to
    /// it. (`remount,ro` is refused while somebody does.)
    public func abortJournal() throws { try Self.run("mount", ["-o", "remount,abort", directory.path]) }

    /// Lays a read-only view of the same files over the mount point while the closure runs.
    public func whileCoveredReadOnly(_ body: () throws -> Void) throws {
        try Self.run("mount", ["--bind", directory.path, directory.path])
        defer { Self.unmount(directory) }
        try Self.run("mount", ["-o", "remount,bind,ro", directory.path])
        try body()
    }

    private static func mount(_ arguments: [String], at place: TemporaryDirectory) throws {
        try run("mount", arguments + [place.path])
        Leftovers.add(mount: place.path)
    }

    private static func unmount(_ place: TemporaryDirectory) {
        // Detached where somebody still uses it: it is gone for everybody else, and for good with its last user.
        _ = unsafe umount2(place.path, 0) == 0 || umount2(place.path, Int32(MNT_DETACH)) == 0
    }

    private static func program(_ name: String) -> String { InstalledProgram.path(of: name) ?? "/usr/bin/" + name }

    private static func run(_ name: String, _ arguments: [String], accepting: [Int32] = [0]) throws {
        let run = try InstalledProgram.run(program(name), arguments)
        guard accepting.contains(where: { run.status == .exited($0) }) else {
            throw TestFailure.unreadable("\(name) \(arguments.joined(separator: " ")): \(run.error)")
        }
    }
}
