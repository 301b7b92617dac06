// Tokens with keys that a test knows, and the field that presents them.

import CallbackLog
import CrispCallback
import Foundation

@testable import CallbackReceiver

extension Token {
    /// A token whose key is `key`.
    init(_ number: UInt64, key: String, scope: TokenScope) {
        self.init(
            number: number, name: "test", scope: scope, created: Timestamp(milliseconds: 0), digest: SHA256.digest(Array(key.utf8).span))
    }
}

/// The field line that presents `user:password` (RFC 7617 §2).
func basic(_ credentials: String) -> String { "Authorization: Basic " + Data(credentials.utf8).base64EncodedString() }
