import Glibc
import RedlockLive
import RedlockSimulation

let code: ExitCode
do {
    code = try await RedlockSim.run(CommandLine.arguments.dropFirst())
} catch let error as UsageError {
    Console.complain("redlock-sim: \(error)")
    Console.complain("redlock-sim help says what can be asked.")
    code = .usage
} catch let error as File.Failure {
    Console.complain("redlock-sim: \(error)")
    code = .usage
} catch let error as LiveError {
    Console.complain("redlock-sim: \(error)")
    code = .usage
} catch {
    Console.complain("redlock-sim: internal error: \(error)")
    code = .internal
}
exit(code.rawValue)
