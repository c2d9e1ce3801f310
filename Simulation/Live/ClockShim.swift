internal import ChildProcesses
internal import Glibc

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
