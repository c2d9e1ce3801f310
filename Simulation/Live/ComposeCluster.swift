internal import ChildProcesses
internal import Glibc
internal import LocalCluster
internal import PosixLock
package import RedlockSimulation

/// The nodes of a compose file, which somebody has brought up.
package struct ComposeCluster: Sendable {
    /// What can be done to a container from outside. Its clock is the machine's, and its disk is not in our hands.
    static let impossible: Set<Fault.Kind> = [
        .nodeClockJump, .nodeClockRate, .nodeClockStrobe, .fsyncStall, .nodePowerLoss, .nodeFailover, .nodeReplica,
        .nodeSettings, .clientClockJump,
    ]

    private static let redisPort = "6379"

    let services: [String]
    let ports: [UInt16]
    private let command: [String]

    /// Finds the services and where they listen.
    package init(file: String) throws(LiveError) {
        guard unsafe access(file, R_OK) == 0 else { throw LiveError("there is no compose file \(file)") }
        let programs = [["docker", "compose"], ["docker-compose"]]
        guard let program = programs.first(where: { (try? Self.run($0 + ["version"])) != nil }) else {
            throw LiveError(
                "neither `docker compose` nor `docker-compose` runs; install one: apt-get install docker-compose")
        }
        command = program + ["--file", file]
        services = try Self.run(command + ["config", "--services"]).sorted()
        guard (1...15).contains(services.count) else {
            throw LiveError("\(file) has \(services.count) services; a lock wants 1 to 15 nodes")
        }
        var ports: [UInt16] = []
        for service in services {
            let lines = (try? Self.run(command + ["port", service, Self.redisPort])) ?? []
            guard let port = lines.last?.split(separator: ":").last.flatMap({ UInt16($0) }), port > 0 else {
                throw LiveError(
                    "\(service) of \(file) is not up; bring the cluster up: \(program.joined(separator: " ")) "
                        + "--file \(file) up -d")
            }
            guard (try? BlockingClient(port: port))?.command("PING") == .status("PONG") else {
                throw LiveError("\(service) of \(file) does not answer on 127.0.0.1:\(port)")
            }
            ports.append(port)
        }
        self.ports = ports
    }

    func server(_ index: Int) -> ComposeServer {
        ComposeServer(service: services[index], port: ports[index], command: command)
    }

    /// The lines of its output; fails with its last line if it does.
    static func run(_ words: [String]) throws(LiveError) -> [String] {
        let outcome: ChildProcess.Outcome
        do {
            outcome = try ChildProcess.run(words)
        } catch {
            throw LiveError("\(error)")
        }
        guard outcome.status == .exited(0) else { throw LiveError(outcome.lines.last ?? "\(words[0]) failed") }
        return outcome.lines
    }
}

extension Schedule {
    /// Without what cannot be done to containers.
    package var forContainers: Schedule {
        var schedule = self
        schedule.faults.removeAll { ComposeCluster.impossible.contains($0.kind) }
        schedule.options.nodeRates = []
        schedule.options.clientRates = []
        schedule.options.persistence = .aofAlways
        schedule.options.trustsDurableNodes = true
        return schedule
    }

    /// Whether ``forContainers`` is the same.
    var isForContainers: Bool { forContainers == self }
}

/// A container.
final class ComposeServer: LiveServer {
    let port: UInt16
    private let service: String
    private let command: [String]

    /// How long a container may take until it answers, in seconds.
    private static let startSeconds = 60

    init(service: String, port: UInt16, command: [String]) {
        self.service = service
        self.port = port
        self.command = command
    }

    /// Compose looks after it.
    var hasEnded: Bool { false }
    var usage: ProcessUsage? { nil }

    func launch() throws {
        _ = try ComposeCluster.run(command + ["start", service])
        for _ in 0..<Self.startSeconds * 20 {
            if command("PING") == .status("PONG") { return }
            usleep(50_000)
        }
        throw LiveError("\(service) did not answer within \(Self.startSeconds) s after it was started")
    }

    func kill() { compose("kill") }
    func pause() { compose("pause") }
    func resume() { compose("unpause") }

    private func compose(_ verb: String) {
        _ = try? ComposeCluster.run(command + [verb, service])
    }

    @discardableResult
    func command(_ words: String...) -> BlockingClient.Answer? {
        (try? BlockingClient(port: port))?.command(words)
    }
}
