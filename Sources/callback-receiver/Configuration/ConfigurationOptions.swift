// The flags that serve, config check and config show share, and the way from flags to a configuration.
//
// Promises: the value of a flag that is impossible by itself is wrong usage; what is wrong with the file, the
// environment, or all sources together is a wrong configuration. No flag takes a secret.
// Must not know: keys beyond those that a flag stands for.

import ArgumentParser
import Platform

struct ConfigurationOptions: ParsableArguments {
    /// Read where it exists and no other file is named.
    static let standardPath = "/etc/callback-receiver/callback-receiver.yaml"

    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "The configuration file (YAML). Without it \(standardPath) is read where it exists.", valueName: "FILE"))
    var file: String?

    @Option(
        help: ArgumentHelp(
            "Where to listen, for callbacks and the API both; port 0 takes a free one. Default: 127.0.0.1:8080.",
            valueName: "HOST:PORT"))
    var listen: String?

    @Option(help: ArgumentHelp("Where the log of callbacks is kept. Default: ./callback-data.", valueName: "DIR"))
    var dataDirectory: String?

    @Option(help: ArgumentHelp("The path of the callback URL. Default: /callback.", valueName: "PATH"))
    var callbackPath: String?

    /// In the order of the table's keys.
    var flags: [FlagValue] {
        let given: [(name: String, text: String?, keys: [String])] = [
            ("--listen", listen, ["callback.listen", "api.listen"]),
            ("--data-directory", dataDirectory, ["log.directory"]),
            ("--callback-path", callbackPath, ["callback.path"]),
        ]
        return given.flatMap { flag in
            guard let text = flag.text else { return [FlagValue]() }
            return flag.keys.map { FlagValue(key: $0, name: flag.name, text: text) }
        }
    }

    func validate() throws { try Self.check(flags) }

    /// With the secrets in files: complete.
    func resolve() throws -> (resolution: Resolution, filePath: String?) {
        var (resolution, path) = try Self.resolve(file: file, flags: flags)
        let outcome = SecretFiles.read(
            into: &resolution.configuration, origins: resolution.origins, environment: Surroundings.environment)
        guard outcome.problems.isEmpty else { throw CommandFailure.configuration(outcome.problems) }
        if let file = resolution.holdsSecrets, WholeFile.isReadableByAll(file) { resolution.warnings.append(SecretFiles.warning(file)) }
        resolution.warnings += outcome.warnings
        resolution.unnamed = outcome.unnamed
        return (resolution, path)
    }

    /// Refuses a flag whose value is impossible by itself.
    static func check(_ flags: [FlagValue]) throws {
        var scratch = Configuration()
        for flag in flags {
            do throws(Refusal) {
                _ = try Setting.named(flag.key)?.apply(flag.text, to: &scratch)
            } catch {
                throw ValidationError("\(flag.name): \(error.text)")
            }
        }
    }

    /// Reads all sources but the files of secrets, which not everybody who asks for a key may read. Throws where a file cannot be read or any source has a problem.
    static func resolve(file: String?, flags: [FlagValue]) throws -> (resolution: Resolution, filePath: String?) {
        guard file != "" else { throw ValidationError("--config: has no value; write for example \(standardPath)") }
        let path = file ?? (Surroundings.exists(standardPath) ? standardPath : nil)
        var configurationFile: ConfigurationFile?
        if let path {
            do throws(Refusal) {
                let bytes = try Surroundings.bytes(of: path, bytesMax: ConfigurationFile.bytesMax)
                configurationFile = ConfigurationFile(path: path, bytes: bytes)
            } catch {
                let origin = Origin.file(path: path, line: nil)
                throw CommandFailure.configuration([Problem(origin: origin, key: nil, text: error.text)])
            }
        }
        let resolution = Resolution(
            file: configurationFile, environment: Surroundings.environment, flags: flags)
        guard resolution.problems.isEmpty else { throw CommandFailure.configuration(resolution.problems) }
        return (resolution, path)
    }
}
