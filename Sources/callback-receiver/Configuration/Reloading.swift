// The configuration read again, for a server that runs: what of it can be in force at once, and what needs a restart.
//
// Promises: the same sources and the same rules as at the start; what needs a restart stays as it was, and the rules hold
// for what comes of both. A file that is gone, or empty, takes nothing away: that is how an editor or a full disk leaves one,
// and among the defaults is that callbacks need no proof of origin. Must not know: who asked for it, what a server does with it.

import CallbackReceiver

extension Setting {
    /// What a server is made with, and cannot change while it runs.
    static let restartKeys: Set<String> = ["callback.listen", "api.listen", "log.directory", "quarantine.bytes-max", "server.loops", "logging.format"]
}

struct Reloading {
    /// What the server was started with.
    let started: Resolution

    /// What is in force with `fresh` read, and the keys that have to wait for a restart.
    func effective(_ fresh: Resolution) throws(RereadFailure) -> (configuration: Configuration, keysForRestart: [String]) {
        guard fresh.goesByFile || !started.goesByFile else {
            throw RereadFailure(problems: [
                "nothing is left of the configuration file that was read at the start: it is gone or empty; put it back, or restart the server to go by the defaults"
            ])
        }
        var configuration = fresh.configuration
        var keys: [String] = []
        for (old, new) in zip(started.entries, fresh.entries) where Setting.restartKeys.contains(old.key) && old.text != new.text {
            keys.append(old.key)
            do throws(Refusal) {
                // As config show prints it, it can be read again.
                _ = try Setting.named(old.key)?.apply(old.text, to: &configuration)
            } catch {
                throw RereadFailure(problems: ["\(old.key): \(error.text)"])
            }
        }
        let problems = ConfigurationRules.problems(of: configuration, origins: fresh.origins, unreadable: [])
        guard problems.isEmpty else {
            let because = keys.isEmpty ? "" : " (\(keys.joined(separator: ", ")): as before until a restart)"
            throw RereadFailure(problems: problems.map { $0.line + because })
        }
        return (configuration, keys)
    }
}
