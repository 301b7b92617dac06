// How a log under test runs: the writer alone, or all that the server has beside it, made small.
//
// Must not know: what is done with it.

@testable import CallbackLog

enum LogShape: String, CaseIterable, Sendable {
    /// The writer alone.
    case bare
    /// Line feeds ahead of the records, and index files.
    case whole
    /// The same, and the oldest segments go.
    case retaining

    static let retentionBytesMax: Int64 = 40_000

    func apply(to options: inout LogOptions) {
        guard self != .bare else { return }
        options.hasUpkeep = true
        options.paddingBytes = 1_200
        if self == .retaining { options.retentionBytesMax = Self.retentionBytesMax }
    }
}
