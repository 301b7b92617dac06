// An array that grows by pieces of one size: what an index in memory is made of, since it grows with every record.
//
// Promises: no append moves more than a piece, and not much more than a piece is allocated for nothing: an array that
// doubles would have half of its memory empty, of tens of megabytes. Must not know: what the elements are.

struct PiecewiseArray<Element: Sendable, let pieceCount: Int>: Sendable {
    /// All but the last hold `pieceCount`; none is empty.
    private var pieces: [[Element]] = []

    var count: Int { pieces.isEmpty ? 0 : (pieces.count - 1) * pieceCount + pieces[pieces.count - 1].count }

    var last: Element? { pieces.last?.last }

    /// At an index below `count`.
    @inline(__always)
    subscript(index: Int) -> Element { pieces[index / pieceCount][index % pieceCount] }

    @inline(__always)
    mutating func append(_ element: Element) {
        if pieces.last.map({ $0.count == pieceCount }) ?? true { pieces.append([]) }
        pieces[pieces.count - 1].append(element)
    }

    /// It must not be empty.
    @discardableResult
    mutating func removeLast() -> Element {
        let element = pieces[pieces.count - 1].removeLast()
        if pieces[pieces.count - 1].isEmpty { pieces.removeLast() }
        return element
    }

    /// All elements in one array, in their order. Nothing is left.
    mutating func takeAll() -> [Element] {
        var all: [Element] = []
        all.reserveCapacity(count)
        for piece in pieces { all.append(contentsOf: piece) }
        pieces = []
        return all
    }
}
