import ChildProcesses
import Dispatch
import Glibc
import RedlockSimulation
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
    static let canPreload = ClockShim.isThere && !has("__tsan_init") && !has("__asan_init")

    static let program = "\(buildFolder)/redlock-sim"

    private static func has(_ symbol: String) -> Bool {
        unsafe dlsym(nil, symbol) != nil
    }
}

/// Runs what blocks on a thread that is not one of the few that tasks share.
func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedContinuation { continuation in
        DispatchQueue(label: "test").async { continuation.resume(returning: Result(catching: body)) }
    }.get()
}
