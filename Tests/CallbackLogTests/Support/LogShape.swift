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

    static let retentionBytesMax: Int64 = 120_000
    static let retentionMilliseconds = 3 * LogOptions.dayMilliseconds

    func apply(to options: inout LogOptions) {
        guard self != .bare else { return }
        options.hasUpkeep = true
        options.paddingBytes = 1_200
        guard self == .retaining else { return }
        options.retentionBytesMax = Self.retentionBytesMax
        options.retentionMilliseconds = Self.retentionMilliseconds
    }
}
