import CommandSupport
import Glibc
import RedlockLive

do {
    // A live run starts this program as its clients; that is no subcommand for people.
    if CommandLine.arguments.dropFirst().first == ClientProcess.verb {
        try await ClientProcess.run(CommandLine.arguments.dropFirst(2).first ?? "")
        exit(ExitCode.asExpected.rawValue)
    }
    exit(try await RedlockSim.program.run(Array([[UInt8]](of: CommandLine.self).dropFirst())))
} catch let error as File.Failure {
    Console.complain("redlock-sim: \(error)")
    exit(ExitCode.usage.rawValue)
} catch let error as LiveError {
    Console.complain("redlock-sim: \(error)")
    exit(ExitCode.usage.rawValue)
} catch {
    Console.complain("redlock-sim: internal error: \(error)")
    exit(ExitCode.internal.rawValue)
}
