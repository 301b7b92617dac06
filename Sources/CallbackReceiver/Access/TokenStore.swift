// The tokens of a running server: read at the start, and again whenever something happens to their file.
//
//     log directory ──names told by the kernel──▶ read anew ─▶ table, which loops look tokens up in
//     its parent    ──the directory's name is told──┘
//     neither can be watched, or the file not be read ──retryMilliseconds──▶ tried, and read, again
//
// Promises: what a reader of the directory would see is in force within a moment; nothing is asked again and again while
// the directory can be watched. Once tokens are needed they are for as long as the server runs, whatever becomes of the
// files; a file that cannot be read lets nobody in. A directory that was put in the place of the old one is the one that
// counts. `table` is safe from any thread, a short lock.
// Must not know: who asks, what a token allows.

import Dispatch
import Logging
import Platform
import Synchronization

final class TokenStore: Sendable {
    /// How often the directory is looked at where it cannot be watched (gone with its parent, or no watch is left), or its
    /// tokens cannot be read.
    static let retryMilliseconds = 1_000

    private let current = Mutex(TokenTable.neverCreated)
    private let watched: Confined<Watched>
    private let path: String
    private let logger: Logger
    /// Somebody who had access has it no more. On the queue, when the new table is in force.
    private let narrowed: @Sendable () -> Void

    /// What belongs to the queue.
    private final class Watched {
        var directory: DirectoryWatch?
        var parent: DirectoryWatch?
        /// A retry is on its way.
        var isRetrying = false
        /// A tokens file, or its mark, was seen once.
        var areNeeded = false
        /// At the last look there was neither, and nothing was needed; no file was seen since.
        var isBeforeFirst = false
        /// The last thing that was said, so that it is said once.
        var saying = ""
    }

    /// Reads the tokens in the log directory `path`, and takes up what becomes of them; `narrowed` hears when somebody who had
    /// access has it no more.
    init(_ path: String, logger: Logger, narrowed: @escaping @Sendable () -> Void = {}) {
        self.path = path
        self.logger = logger
        self.narrowed = narrowed
        watched = Confined(Watched(), to: DispatchQueue(label: "tokens"))
        watched.queue.sync { watched.withValue { refresh($0) } }
    }

    var table: TokenTable { current.withLock { $0 } }

    /// Reads them again, whatever the kernel has told.
    func reload() { watched.queue.sync { watched.withValue { refresh($0) } } }

    // MARK: queue only

    /// Watches what is not watched, then reads: what happens in between is told.
    private func refresh(_ watched: Watched) {
        watch(watched)
        let table = read(watched)
        let before = current.withLock { current in
            defer { current = table }
            return current
        }
        if !table.allowsAll(of: before) { narrowed() }
    }

    private func watch(_ watched: Watched) {
        if watched.directory == nil {
            watched.directory = watch(path, .contents) { store, watched, changes in
                if changes.isEnded { watched.directory = nil }
                guard changes.isEnded || changes.isOverflown || changes.names.contains(where: Self.isOurs) else { return }
                store.refresh(watched)
            }
        }
        if watched.parent == nil, let (parent, name) = Self.parent(of: path) {
            // Where it stands, not what is written there: others may write beside it all the time.
            watched.parent = watch(parent, .entries) { store, watched, changes in
                if changes.isEnded { watched.parent = nil }
                guard changes.isEnded || changes.isOverflown || changes.names.contains(name) else { return }
                // Another directory may stand there now.
                watched.directory = nil
                store.refresh(watched)
            }
        }
        // The parent tells when a directory that is missing comes.
        if watched.directory == nil, watched.parent == nil || WholeFile.exists(path) { retry(watched) }
    }

    private func watch(_ path: String, _ interest: DirectoryWatch.Interest, _ body: @escaping @Sendable (TokenStore, Watched, DirectoryWatch.Changes) -> Void) -> DirectoryWatch? {
        try? DirectoryWatch(path, for: interest, queue: watched.queue) { [weak self] changes in
            guard let self else { return }
            watched.withValue { body(self, $0, changes) }
        }
    }

    private func retry(_ watched: Watched) {
        guard !watched.isRetrying else { return }
        watched.isRetrying = true
        self.watched.queue.asyncAfter(deadline: .now() + .milliseconds(Self.retryMilliseconds)) { [weak self] in
            guard let self else { return }
            self.watched.withValue {
                $0.isRetrying = false
                self.refresh($0)
            }
        }
    }

    private func read(_ watched: Watched) -> TokenTable {
        do throws(SystemError) {
            let directory = try OwnedDirectory(path)
            let isMarked = try directory.contains(TokenFile.markName)
            if isMarked { watched.areNeeded = true }
            guard try directory.contains(TokenFile.name) else { return none(watched) }
            watched.areNeeded = true
            watched.isBeforeFirst = false
            let bytes = try directory.read(TokenFile.name, bytesMax: TokenFile.bytesMax + 1)
            if !isMarked { mark(directory) }
            return parse(bytes, watched)
        } catch {
            // Gone between two looks at it, or with its directory.
            if error.isMissing || error.isNotDirectory { return none(watched) }
            // Closed while it lasts. Only a file or a mark that was there says that tokens are needed for ever: a directory
            // that something else stands in the place of says nothing.
            say("\(error)", watched) {
                logger.error("the tokens cannot be read, so none is taken; check the permissions", metadata: ["error": "\(error)"])
            }
            // What lasts a moment, no descriptor say, is over without anybody's telling.
            retry(watched)
            return .unreadable
        }
    }

    private func parse(_ bytes: [UInt8], _ watched: Watched) -> TokenTable {
        do throws(TokenFileFault) {
            let tokens = try TokenFile.parse(bytes.span)
            say("\(tokens.count)", watched) { logger.info("tokens are in force", metadata: ["tokens": .stringConvertible(tokens.count)]) }
            return TokenTable(tokens)
        } catch {
            say("\(error)", watched) {
                logger.error(
                    "the file of tokens is damaged, so none is taken; put it back from a copy, or remove it and create tokens anew",
                    metadata: ["file": "\(path)/\(TokenFile.name)", "error": "\(error)"])
            }
            return .unreadable
        }
    }

    /// There is no file of tokens.
    private func none(_ watched: Watched) -> TokenTable {
        guard watched.areNeeded else {
            watched.isBeforeFirst = true
            return .neverCreated
        }
        // The mark comes before the first file: whoever creates the first token is at it, or was stopped there. In either case
        // nobody is let in from now on.
        if watched.isBeforeFirst {
            say("first", watched) { logger.notice("the first token is being created: from now on the API answers nobody without one") }
            return TokenTable([])
        }
        say("none", watched) {
            logger.warning("there was a file of tokens and is none any more: the API answers nobody until a token is created")
        }
        return TokenTable([])
    }

    /// A file that came without its mark, out of a copy perhaps, gets it: the next server must know, too.
    private func mark(_ directory: OwnedDirectory) {
        do throws(SystemError) {
            try directory.createIfMissing(TokenFile.markName, holding: Array(TokenFile.markText.utf8))
        } catch {
            logger.warning("that tokens are needed from now on could not be noted", metadata: ["error": "\(error)"])
        }
    }

    private func say(_ text: String, _ watched: Watched, _ log: () -> Void) {
        guard watched.saying != text else { return }
        watched.saying = text
        log()
    }

    private static func isOurs(_ name: String) -> Bool { name == TokenFile.name || name == TokenFile.markName }

    /// The directory that `path` stands in and its name there; nil where it has no name of its own.
    static func parent(of path: String) -> (path: String, name: String)? {
        var trimmed = Substring(path)
        while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
        let parts = trimmed.split(separator: "/", omittingEmptySubsequences: false)
        guard let name = parts.last, !name.isEmpty, name != ".", name != ".." else { return nil }
        let before = trimmed.dropLast(name.count)
        return (before.isEmpty ? "." : String(before), String(name))
    }
}
