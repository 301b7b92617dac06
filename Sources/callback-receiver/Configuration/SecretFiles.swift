// The files that `…-file` keys name: their secrets join those that the keys themselves have.
//
// A name without a slash at its beginning is looked for among the credentials that systemd hands over (LoadCredential=,
// systemd.exec(5)) first, then beside the configuration file that has it: so that `config check`, which root calls from a
// shell, reads the file that the credential is a copy of. One from the environment is looked for from the working directory.
// A credential that is called as a key of secrets is, callback.keys say, is read without being named: it was handed over to
// prove something, too.
//
// Promises: read to a bound; what is wrong names the key's place, the file and its line, never what is in it. A file that
// is missing, empty or wrong stops the start: it was meant to prove something. A file that every user can read is said.
// Must not know: what the secrets prove.

import CallbackReceiver
import Platform

/// The files that the configuration names.
struct SecretFilePaths: Sendable, Equatable {
    var callbackKeys: String?
    var callbackSigningSecrets: String?
    var callbackUsers: String?
}

enum SecretFiles {
    /// A larger one holds something else.
    static let bytesMax = 65_536

    private static let fileSuffix = "-file"

    private struct Kind {
        let key: String
        let form: SecretForm
        let path: (Configuration) -> String?
        let add: (inout Configuration, [Secret]) -> Void
    }

    private static var kinds: [Kind] {
        [
            Kind(key: "callback.keys-file", form: .plain, path: \.secretFiles.callbackKeys) { $0.server.callbackKeys += $1 },
            Kind(key: "callback.signing-secrets-file", form: .plain, path: \.secretFiles.callbackSigningSecrets) {
                $0.server.callbackSigningSecrets += $1
            },
            Kind(key: "callback.users-file", form: .credentials, path: \.secretFiles.callbackUsers) { $0.server.callbackUsers += $1 },
        ]
    }

    /// What came of reading them: with problems, the configuration is not complete.
    struct Outcome {
        var problems: [Problem] = []
        /// One line each, for people.
        var warnings: [String] = []
        /// What was read without being named, one line each.
        var unnamed: [String] = []
    }

    /// Reads the files that `configuration` names, into it.
    static func read(into configuration: inout Configuration, origins: [String: Origin], environment: [String: String]) -> Outcome {
        var outcome = Outcome()
        for kind in kinds {
            let origin = origins[kind.key] ?? .standard
            let named = kind.path(configuration).map { location(of: $0, origin: origin, environment: environment) }
            let handed = credential(String(kind.key.dropLast(fileSuffix.count)), environment)
            if let named { _ = read(named, kind, origin, into: &configuration, &outcome) }
            guard let handed, handed != named else { continue }
            let count = read(handed, kind, origin, into: &configuration, &outcome)
            outcome.unnamed.append("\(kind.key.dropLast(fileSuffix.count)): \(Counted.text(count, "secret")) in the credential \(printable(handed))")
        }
        return outcome
    }

    /// Returns how many there are in it.
    private static func read(
        _ path: String, _ kind: Kind, _ origin: Origin, into configuration: inout Configuration, _ outcome: inout Outcome
    ) -> Int {
        func refuse(_ text: String) { outcome.problems.append(Problem(origin: origin, key: kind.key, text: text)) }
        var count = 0
        do throws(Refusal) {
            let bytes = try Surroundings.bytes(of: path, bytesMax: bytesMax)
            guard bytes.count <= bytesMax else {
                refuse("\(printable(path)) is larger than \(Size.text(Int64(bytesMax))), which no file of secrets is; name another")
                return count
            }
            switch Result(catching: { () throws(SecretFileFault) in try SecretList.parse(file: bytes, form: kind.form) }) {
            case .success(let secrets):
                count = secrets.count
                kind.add(&configuration, secrets)
            case .failure(let fault): refuse("\(printable(path))\(fault.line.map { ":\($0)" } ?? "") \(fault.refusal.text)")
            }
            if WholeFile.isReadableByAll(path) { outcome.warnings.append(warning(path)) }
        } catch {
            refuse("\(printable(path)) \(error.text)")
        }
        return count
    }

    /// What is said of a file with secrets in it that everybody can read.
    static func warning(_ path: String) -> String {
        "\(printable(path)) holds secrets and can be read by every user of this machine; chmod 640 it, or 600"
    }

    /// The file of a credential of this name, where systemd has handed one over.
    private static func credential(_ name: String, _ environment: [String: String]) -> String? {
        guard let directory = environment["CREDENTIALS_DIRECTORY"], !directory.isEmpty else { return nil }
        let path = "\(directory)/\(name)"
        return WholeFile.exists(path) ? path : nil
    }

    /// Where the file is that a key names so, in the source `origin`.
    static func location(of path: String, origin: Origin, environment: [String: String]) -> String {
        guard !path.hasPrefix("/") else { return path }
        if let credential = credential(path, environment) { return credential }
        guard case .file(let file, _) = origin, let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }
}
