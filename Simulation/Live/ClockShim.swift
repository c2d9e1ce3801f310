internal import ChildProcesses
internal import Glibc
internal import RedlockSimulation

/// Where the library is that is preloaded into servers and clients whose wall clock is to be off.
package enum ClockShim {
    /// Built beside the program; `REDLOCK_CLOCK_SHIM` names another place.
    package static var path: String {
        if let value = unsafe getenv("REDLOCK_CLOCK_SHIM") { return unsafe String(cString: value) }
        return "\(buildFolder)/libClockShim.so"
    }

    package static var isThere: Bool { unsafe access(path, R_OK) == 0 }

    /// What stands before a program's name to start it under the shim.
    package static func launcher(_ control: ClockControl) -> [String] {
        ["env", "LD_PRELOAD=\(path)", "\(ClockControl.variable)=\(control.path)"]
    }
}

extension Schedule {
    /// Whether it asks for what only a preloaded library can do.
    var needsClockShim: Bool {
        let kinds: [Fault.Kind] = [
            .nodeClockJump, .nodeClockRate, .nodeClockStrobe, .clientClockJump, .fsyncStall, .nodePowerLoss,
        ]
        return options.nodeRates.contains { $0 != 0 } || options.clientRates.contains { $0 != 0 }
            || options.wallSkew > 0 || faults.contains { kinds.contains($0.kind) }
    }
}
