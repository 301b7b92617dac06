// What is answered to whoever may not ask: status, challenge, and what to do.
//
// Promises: says neither which tokens there are nor what was wrong with credentials. Must not know: how it was decided.

import HTTPWire

enum AccessRefusal: Equatable {
    /// No token was created yet, and the request is not plainly from this machine.
    case notFromHere
    case credentialsMissing, credentialsWrong
    /// Another site's page had a browser send it.
    case fromAnotherPage
    case tokensUnreadable
    case scopeTooNarrow(TokenScope, needed: TokenScope)
    case tooManyWrong(retrySeconds: Int)

    /// RFC 7617 §2, §2.1.
    private static let challenge = Response.Field(name: "WWW-Authenticate", value: "Basic realm=\"callback-receiver\", charset=\"UTF-8\"")

    func fill(_ response: inout Response, for request: borrowing Request) {
        Problem.fill(&response, status: status, detail: detail, for: request)
        if status == 401 { response.fields.append(Self.challenge) }
        if case .tooManyWrong(let seconds) = self {
            response.fields.append(Response.Field(name: "Retry-After", value: "\(seconds)"))
        }
    }

    private var status: UInt16 {
        switch self {
        case .notFromHere, .credentialsMissing, .credentialsWrong, .tokensUnreadable: 401
        case .scopeTooNarrow, .fromAnotherPage: 403
        case .tooManyWrong: 429
        }
    }

    private var detail: String {
        switch self {
        case .notFromHere:
            "Until the first token is created, this API answers only a request from this machine itself: a Host of localhost or a "
                + "loopback address, and no Forwarded, Via or X-Forwarded-* field, nor another site's Origin. Ask it there, or create a token: "
                + "callback-receiver token create --name NAME."
        case .fromAnotherPage:
            "A browser says that another site's page sent this (Sec-Fetch-Site, Origin), and what changes something is not taken from there. "
                + "Ask from the page at / of this server, or from a program."
        case .credentialsMissing:
            "This API asks for a token: HTTP Basic, its identifier as the user, its key as the password. "
                + "callback-receiver token create --name NAME makes one."
        case .credentialsWrong:
            "The credentials are not those of a token: HTTP Basic, its identifier as the user, its key as the password. "
                + "callback-receiver token list shows which there are."
        case .tokensUnreadable: "No token can be checked: the server cannot read them. Its log says why."
        case .scopeTooNarrow(let scope, let needed):
            "This token's scope is \(scope.rawValue), and this needs \(needed.rawValue): "
                + "callback-receiver token create --name NAME --scope \(needed.rawValue) makes one."
        case .tooManyWrong: "Too many wrong credentials came from your address. Right ones are taken at any time."
        }
    }
}
