// Routes of a test's own, put where the server has nothing: by path, and so for both HTTP versions.
//
// Promises: a path that no test route has is a 404 as ever. Must not know: what a test asks for.

import HTTPWire
import Synchronization
import TestSupport

@testable import CallbackReceiver

/// Each path and what becomes of a request for it.
func furtherRoutes(_ routes: [String: @Sendable (inout Response) -> Disposition]) -> Router.FurtherRoute {
    { request, response in routes[request.text(request.path)]?(&response) }
}

/// A 200 with this text.
func plainAnswer(_ text: String) -> Response {
    var response = Response()
    response.contentType = "text/plain"
    response.body = Array(text.utf8)
    return response
}

/// A door that whoever comes waits at until the test opens it.
final class Gate: Sendable {
    private let state = Mutex((isOpen: false, waiting: 0))

    func open() { state.withLock { $0.isOpen = true } }

    /// How many have come.
    var waitingCount: Int { state.withLock { $0.waiting } }

    /// Returns once it is open, at the latest after twenty seconds, so that a wrong test ends.
    func pass() {
        state.withLock { $0.waiting += 1 }
        try? eventually("an open gate", withinSeconds: 20, holds: { state.withLock { $0.isOpen } })
    }
}
