// What the environment of a service says: to whom it is meant, and what of it makes no sense.

import Platform
import Testing

@Suite struct ServiceEnvironmentTests {
    private func environment(_ variables: [String: String]) -> ServiceEnvironment { ServiceEnvironment(variables: variables, processID: 42) }

    @Test("without variables nothing was handed over", arguments: [[:], ["PATH": "/bin"], ["NOTIFY_SOCKET": ""], ["LISTEN_PID": "42"], ["LISTEN_FDS": "2"]])
    func nothing(variables: [String: String]) { #expect(environment(variables) == ServiceEnvironment()) }

    @Test("a watchdog is this process's where its number is, or none is named")
    func watchdog() {
        #expect(environment(["WATCHDOG_USEC": "30000000"]).watchdogMicroseconds == 30_000_000)
        #expect(environment(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "42"]).watchdogMicroseconds == 30_000_000)
        for (usec, pid) in [("30000000", "43"), ("30000000", ""), ("0", "42"), ("-1", "42"), ("x", "42"), ("18446744073709551615", "42")] {
            #expect(environment(["WATCHDOG_USEC": usec, "WATCHDOG_PID": pid]).watchdogMicroseconds == nil, "\(usec) \(pid)")
        }
    }

    @Test("sockets begin with descriptor 3 and have their names in order; one without a name is unknown")
    func sockets() {
        let named = environment(["LISTEN_FDS": "3", "LISTEN_PID": "42", "LISTEN_FDNAMES": "web:api"])
        #expect(named.sockets.map(\.descriptor) == [3, 4, 5])
        #expect(named.sockets.map(\.name) == ["web", "api", "unknown"])
        #expect(environment(["LISTEN_FDS": "1", "LISTEN_PID": "42"]).sockets.map(\.name) == ["unknown"])
    }

    @Test(
        "sockets of another process, or as many as nobody has, are none",
        arguments: [("1", "43"), ("1", ""), ("0", "42"), ("-1", "42"), ("x", "42"), ("99999999999", "42")])
    func noSockets(count: String, processID: String) {
        #expect(environment(["LISTEN_FDS": count, "LISTEN_PID": processID]).sockets == [])
    }

    @Test("no more sockets are looked at than a service may have")
    func bound() {
        #expect(environment(["LISTEN_FDS": "2147483647", "LISTEN_PID": "42"]).sockets.count == ServiceEnvironment.socketsMax)
    }
}
