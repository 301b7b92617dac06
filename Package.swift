// swift-tools-version: 6.2
//
// The package's rooms and which may see which. Arrows point one way:
//
//     CPlatform ◀ Platform ◀ CallbackLog ◀ CallbackReceiver ◀ callback-receiver
//                CNghttp2  ◀ HTTPWire    ◀ CallbackReceiver
//                COpenSSL  ◀ CrispCallback ◀ CallbackReceiver
//
// The command also looks into a log by itself: callback-receiver sees CallbackLog and CrispCallback.
//
// HTTPWire, CrispCallback and CallbackLog never meet. SwiftPM cannot forbid `import Glibc`;
// TidyTests holds the allow-list of imports.

import PackageDescription

/// Every room is written under the same rules: warnings are errors, and every unsafe construct says so.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "callback-receiver",
    products: [
        .executable(name: "callback-receiver", targets: ["callback-receiver"]),
        .executable(name: "benchmark", targets: ["benchmark"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .target(name: "CPlatform"),
        .systemLibrary(name: "CNghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CYAML", providers: [.apt(["libyaml-dev"])]),
        .target(name: "Platform", dependencies: ["CPlatform"], swiftSettings: strict),
        .target(name: "HTTPWire", dependencies: ["CNghttp2"], swiftSettings: strict),
        .target(name: "CrispCallback", dependencies: ["COpenSSL"], swiftSettings: strict),
        .target(name: "CallbackLog", dependencies: ["Platform"], swiftSettings: strict),
        .target(
            name: "CallbackReceiver",
            dependencies: [
                "CallbackLog", "CrispCallback", "HTTPWire", "Platform",
                .product(name: "Logging", package: "swift-log"),
            ],
            // Into the program itself: a bundle beside it could be lost.
            resources: ["Page/page.css", "Page/page.html", "Page/page.js", "Routes/openapi.json"].map { .embedInCode($0) },
            swiftSettings: strict),
        .executableTarget(
            name: "callback-receiver",
            dependencies: [
                "CYAML", "CallbackLog", "CallbackReceiver", "CrispCallback", "Platform",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "benchmark",
            dependencies: [
                "CallbackLog", "CrispCallback", "HTTPWire", "Platform",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        .target(name: "JSONReference", dependencies: ["CrispCallback"], path: "Tests/JSONReference", swiftSettings: strict),
        .target(
            name: "FuzzTargets", dependencies: ["CallbackLog", "CrispCallback", "HTTPWire", "JSONReference", "Platform"],
            path: "Tests/FuzzTargets", exclude: ["Corpus", "Dictionaries", "Failures"], swiftSettings: strict),
        .testTarget(name: "PlatformTests", dependencies: ["Platform"], swiftSettings: strict),
        .testTarget(name: "HTTPWireTests", dependencies: ["HTTPWire", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "CrispCallbackTests", dependencies: ["CrispCallback", "JSONReference", "TestSupport"],
            exclude: ["Corpus"], swiftSettings: strict),
        .testTarget(name: "CallbackLogTests", dependencies: ["CallbackLog", "Platform", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "CallbackReceiverTests",
            dependencies: [
                "CallbackLog", "CallbackReceiver", "CrispCallback", "HTTPWire", "Platform", "TestSupport", "callback-receiver",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .testTarget(
            name: "CommandTests", dependencies: ["CallbackLog", "Platform", "TestSupport", "callback-receiver"], swiftSettings: strict),
        .testTarget(
            name: "ConformanceTests", dependencies: ["TestSupport", "callback-receiver"],
            exclude: [
                "Clients/h2_client.py", "Clients/http.mjs", "Clients/http2.mjs", "Clients/http_client.py", "OpenAPI/requirements.txt", "OpenAPI/schemathesis.toml", "OpenAPI/validate.py", "Page/browser.py", "Page/history.py", "Page/requirements.txt", "Proxies/upstream.py",
            ], swiftSettings: strict),
        .testTarget(
            name: "CrashTests", dependencies: ["TestSupport", "callback-receiver"], swiftSettings: strict),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets", "HTTPWire"], swiftSettings: strict),
        .testTarget(name: "TidyTests", swiftSettings: strict),
    ]
)

// The program that libFuzzer drives has its `main` from libFuzzer: no ordinary build can link it. Tests/fuzz sets this.
if Context.environment["CALLBACK_RECEIVER_FUZZING"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fuzz", dependencies: ["FuzzTargets"], path: "Tests/FuzzProgram",
            swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]))
}
