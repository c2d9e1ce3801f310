import CommandSupport
import RedlockSimulation

/// Which seeds are to be run, in which worlds, by how many threads and for how long: what `sweep` and `search` share.
struct SeedArguments {
    let count: Int
    let first: UInt64
    let jobs: Int
    let profile: Profile
    /// From the start; nil for as long as it takes.
    let timeLimit: Duration?
    let mutant: Mutant?

    /// - Parameters:
    ///   - subcommand: Its name, for what is said when there are no seeds.
    ///   - limit: The most seeds that it takes.
    init(_ arguments: Arguments, of subcommand: String, atMost limit: Int) throws(UsageError) {
        guard arguments.has("seeds") else { throw UsageError("\(subcommand) needs --seeds N") }
        count = try arguments.number("seeds", 1...limit, otherwise: 0)
        first = try RedlockSim.first(arguments)
        jobs = try RedlockSim.jobs(arguments)
        profile = RedlockSim.profile(arguments)
        timeLimit = try arguments.time("time-limit")
        mutant = try arguments.value("mutant").map { name throws(UsageError) in try RedlockSim.mutant(name) }
    }

    var words: String { "seeds \(first) to \(first + UInt64(count) - 1)" }

    /// That of the seed with this number among them, drawn as the profile has it.
    func schedule(_ number: Int) -> Schedule { Schedule(random: first + UInt64(number), profile) }
}
