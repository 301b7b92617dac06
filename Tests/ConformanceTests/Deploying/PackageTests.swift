// The Debian package that deploy/package builds, and what becomes of it in a machine with systemd.
//
// Promises: it is built from the program that deploy/run builds, as a user has it; one that is older than the sources is not
// tested, and that is said. The machine is made for the test (Tests/machine/boot) and gone with it.
// Must not know: what is in the package beyond what its users meet.

import Foundation
import TestSupport
import Testing

/// What the package is built from and with.
private enum Package {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let program = root.appending(path: ".build/release/callback-receiver").path

    /// Whether there is a program and it is of these sources.
    static let isProgramCurrent: Bool = {
        func modified(_ path: String) -> Date {
            (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date ?? .distantPast
        }
        let sources = root.appending(path: "Sources").path
        let names = FileManager.default.enumerator(atPath: sources)?.compactMap { $0 as? String } ?? []
        let others = ["benchmark/"]
        let newest = names.filter { name in !others.contains { name.hasPrefix($0) } }.map { modified(sources + "/" + $0) }.max()
        return FileManager.default.isExecutableFile(atPath: program) && modified(program) >= newest ?? .distantFuture
    }()

    /// A fresh directory with the package in it, not pressed together, which takes most of the time.
    static func build() throws -> (directory: TemporaryDirectory, file: String) {
        let directory = try TemporaryDirectory()
        let result = try InstalledProgram.run(
            root.appending(path: "deploy/package").path, ["--program", program, "--to", directory.path],
            environment: ["DPKG_DEB_COMPRESSOR_LEVEL": "0"], withinSeconds: 300)
        guard result.status == .exited(0) else { throw TestFailure.unreadable("deploy/package: \(result.error)") }
        return (directory, result.output.trimmingCharacters(in: .newlines))
    }

    static let built = Result { try build() }
}

/// Machines with systemd.
private enum Machine {
    static func run(_ directory: TemporaryDirectory, _ arguments: [String]) throws -> (status: TestSupport.ExitStatus, output: String, error: String) {
        try InstalledProgram.run(
            Package.root.appending(path: "Tests/machine/boot").path, [directory.path] + arguments, withinSeconds: 300)
    }

    /// Whether one can be made here.
    static let isAvailable: Bool = {
        guard let directory = try? TemporaryDirectory(), (try? directory.write("exit 42\n", to: "try")) != nil else { return false }
        return (try? run(directory, ["try"]))?.status == .exited(42)
    }()

    /// A directory for one, with the package and files of the repository in it.
    static func directory(with paths: [String]) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        for path in paths {
            let file = Package.root.appending(path: path)
            try FileManager.default.copyItem(atPath: file.path, toPath: directory.path(of: file.lastPathComponent))
        }
        return directory
    }
}

@Suite(
    "The Debian package",
    .enabled(if: Package.isProgramCurrent, "no program of these sources: deploy/run --build-only builds it"),
    .enabled(if: InstalledProgram.path(of: "dpkg-shlibdeps") != nil, "no dpkg-shlibdeps (dpkg-dev)"))
struct PackageTests {
    @Test("is the same, byte for byte, when it is built again")
    func reproducible() throws {
        let (first, second) = (try Package.built.get(), try Package.build())
        #expect(FileManager.default.contentsEqual(atPath: first.file, andPath: second.file))
    }

    @Test("is without error and warning to lintian", .enabled(if: InstalledProgram.path(of: "lintian") != nil, "no lintian"))
    func lint() throws {
        let result = try InstalledProgram.run(
            InstalledProgram.path(of: "lintian") ?? "", ["--fail-on", "error,warning", try Package.built.get().file], withinSeconds: 300)
        #expect(result.status == .exited(0) && result.output == "", "\(result.output)\(result.error)")
    }

    @Test(
        "is installed, restarted and upgraded under load, removed and purged, and does its whole job under its unit",
        .enabled(if: Machine.isAvailable, "no machine with systemd can be made here (Tests/machine/boot)"))
    func lifecycle() throws {
        let directory = try Machine.directory(with: ["Tests/machine/lifecycle", "Tests/machine/load"])
        let package = directory.path(of: "callback-receiver.deb")
        try FileManager.default.copyItem(atPath: try Package.built.get().file, toPath: package)
        // The same with a higher version.
        let tree = directory.path(of: "tree")
        try InstalledProgram.succeed("dpkg-deb", ["--raw-extract", package, tree])
        try InstalledProgram.succeed("sed", ["-i", "s/^Version: .*/Version: 999/", tree + "/DEBIAN/control"])
        try InstalledProgram.succeed("dpkg-deb", ["--root-owner-group", "-Znone", "--build", tree, directory.path(of: "newer.deb")])
        try FileManager.default.removeItem(atPath: tree)
        let result = try Machine.run(directory, ["lifecycle"])
        #expect(result.status == .exited(0), "\(result.output)\(result.error)")
        #expect(result.output.hasSuffix("the package came and went\n"))
    }

    /// What is printed is how long each start took; of a log of a million records Tests/machine/starts says how to get one.
    @Test(
        "is ready after each start on a log that was there before it was installed, after a clean stop and after SIGKILL under load",
        .enabled(if: Machine.isAvailable, "no machine with systemd can be made here (Tests/machine/boot)"))
    func starts() throws {
        let directory = try Machine.directory(with: ["Tests/machine/starts", "Tests/machine/load"])
        try FileManager.default.copyItem(atPath: try Package.built.get().file, toPath: directory.path(of: "callback-receiver.deb"))
        let log = try TemporaryDirectory()
        let server = try ServerProcess(directory: log)
        for number in 0..<100 { #expect(try server.post(sentPayload("before-\(number)")).status == 200) }
        #expect(try server.terminate() == .exited(0))
        try FileManager.default.copyItem(atPath: log.path, toPath: directory.path(of: "log"))
        let result = try Machine.run(directory, ["starts", "2"])
        #expect(result.status == .exited(0), "\(result.output)\(result.error)")
        #expect(result.output.hasSuffix("all starts came\n"))
        let starts = result.output.split(separator: "\n").dropLast()
        #expect(starts.count == 5 && starts.allSatisfy { $0.contains(": ready after ") && $0.contains(" records; listening on ") }, "\(starts)")
        #expect(starts.prefix(3).allSatisfy { $0.contains(" 100 records; ") }, "\(starts)")
        print(starts.joined(separator: "\n"))
    }

    @Test(
        "does what the README's Deploying says when it is typed",
        .enabled(if: Machine.isAvailable, "no machine with systemd can be made here (Tests/machine/boot)"))
    func readme() throws {
        let directory = try Machine.directory(with: ["Tests/machine/readme", "README.md"])
        let file = try Package.built.get().file
        try FileManager.default.copyItem(atPath: file, toPath: directory.path(of: URL(filePath: file).lastPathComponent))
        let result = try Machine.run(directory, ["readme"])
        #expect(result.status == .exited(0), "\(result.output)\(result.error)")
        #expect(result.output.contains("a-first-try: sent\n"))
        #expect(result.output.hasSuffix("blocks: 7\n"))
    }
}

extension InstalledProgram {
    /// Runs a program that must end with 0.
    fileprivate static func succeed(_ name: String, _ arguments: [String]) throws {
        let result = try run(path(of: name) ?? name, arguments, withinSeconds: 120)
        guard result.status == .exited(0) else { throw TestFailure.unreadable("\(name): \(result.error)") }
    }
}
