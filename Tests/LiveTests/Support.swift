import ChildProcesses
import RedlockSimulation
import TestSupport
import Testing

@testable import RedlockLive

typealias WorldOptions = RedlockSimulation.WorldOptions
typealias WorldPersistence = WorldOptions.Persistence

struct Unexpected: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

enum Workplace {
    /// Sanitizers want to be loaded first; a server with the shim in front does not start then.
    static let canPreload = ClockShim.isThere && !Sanitizer.isActive

    static let program = "\(buildFolder)/redlock-sim"
}
