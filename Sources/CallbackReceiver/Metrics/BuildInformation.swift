// Which build this is: for `--version`, and for the metric of it.
//
// Promises: known when it is compiled. Must not know: who asks.

/// Which program this is.
public enum BuildInformation {
    /// Semantic Versioning 2.0.0; the Debian package has the same.
    public static let version = "0.1.0"

    /// Of the compiler, as far as a program can tell: major and minor.
    static let swiftVersion: String = {
        #if compiler(>=6.5)
            "6.5+"
        #elseif compiler(>=6.4)
            "6.4"
        #elseif compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }()
}
