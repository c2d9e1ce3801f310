import ChildProcesses
import Glibc
import Redlock
import Synchronization

/// A process of its own that takes locks as it is told: what the integration tests do with several processes, and with
/// processes that they stop.
///
///     LockWorker count NODES RESOURCE FILE TASKS     each task adds 1 to the number in the file, under the lock
///     LockWorker hold NODES RESOURCE TTL_MS          takes a lease and answers questions about it
///     LockWorker body NODES RESOURCE TTL_MS          runs a body under the lock until a line comes
///     LockWorker stop NODES RESOURCE TTL_MS WAIT_MS  the same, stopped when it hears that the lock was granted
///     LockWorker watch NODES RESOURCES TTL_MS TIMES WORK_MS
///                                                    takes each of several locks some times, and reports every risk
///                                                    and loss
///     LockWorker load NODES RESOURCE TASKS           takes locks and releases them without end, and reports on itself
///     LockWorker once NODES RESOURCE NODE_TIMEOUT_MS tries once when a line comes
///     LockWorker contend NODES RESOURCE TASKS MS WORK_US
///                                                    takes the lock again and again for a while, and says when
@main
struct LockWorker {
    /// For a machine so busy that the first attempts find no quorum in time.
    private static let patience = Duration.seconds(60)

    private static let grants = Atomic<Int>(0)

    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        let nodes = arguments[1].split(separator: ",").map(String.init)
        var configuration = Redlock.Configuration()
        // The servers of tests were just started.
        configuration.trustsDurableNodes = true
        if arguments[0] == "once" {
            configuration.nodeTimeout = .milliseconds(Int(arguments[3])!)
            configuration.observer = { if $0.kind == .attempt, $0.resource != "first" { answer("asked") } }
        }
        if arguments[0] == "watch" {
            configuration.observer = { event in
                guard [.atRisk, .lost].contains(event.kind) else { return }
                answer("\(event)")
                if let pause = event.pause { answer("pause of \(pause / .milliseconds(1)) ms") }
            }
        }
        if arguments[0] == "stop" {
            // All of the process stands still right after the grant, before anybody learns of it.
            configuration.observer = { event in
                guard event.kind == .acquired, grants.add(1, ordering: .relaxed).newValue == 1 else { return }
                kill(getpid(), SIGSTOP)
            }
        }
        let redlock = try Redlock(nodes: nodes, configuration: configuration)
        let resource = Resource(arguments[2])
        switch arguments[0] {
        case "count": try await count(redlock, resource, file: arguments[3], tasks: Int(arguments[4])!)
        case "hold": try await hold(redlock, resource, ttl: .milliseconds(Int(arguments[3])!))
        case "body": await body(redlock, resource, ttl: .milliseconds(Int(arguments[3])!))
        case "stop":
            await body(
                redlock, resource, ttl: .milliseconds(Int(arguments[3])!), wait: .milliseconds(Int(arguments[4])!))
        case "watch":
            try await watch(
                redlock, resources: Int(arguments[2])!, ttl: .milliseconds(Int(arguments[3])!),
                times: Int(arguments[4])!, work: .milliseconds(Int(arguments[5])!))
        case "once": try await once(redlock, resource)
        case "contend":
            try await contend(
                redlock, resource, tasks: Int(arguments[3])!, milliseconds: Int(arguments[4])!,
                work: .microseconds(Int(arguments[5])!))
        case "load": await load(redlock, resource, tasks: Int(arguments[3])!)
        default: fatalError("unknown work: \(arguments[0])")
        }
        await redlock.shutdown()
    }

    private static func count(_ redlock: Redlock, _ resource: Resource, file: String, tasks: Int) async throws {
        try await withThrowingTaskGroup { group in
            for _ in 0..<tasks {
                group.addTask {
                    try await redlock.withLock(resource, ttl: .seconds(20), waitingUpTo: .seconds(300)) { _ in
                        // Read, then write: an addition is lost whenever two do this at the same time.
                        let number = NumberFile.read(file)
                        await Task.yield()
                        NumberFile.write(number + 1, to: file)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Answers each line of standard input: `valid`, `extend`, `release`.
    private static func hold(_ redlock: Redlock, _ resource: Resource, ttl: Duration) async throws {
        let lease = try await redlock.acquire(resource, ttl: ttl, waitingUpTo: patience)
        answer("held")
        while let question = StandardInput.line() {
            switch question {
            case "valid":
                answer("\(lease.isValid)")
            case "extend":
                do {
                    try await lease.extend()
                    answer("extended")
                } catch {
                    answer(error.code.rawValue)
                }
            case "release":
                await lease.release()
                answer("released")
            default:
                answer("?")
            }
        }
    }

    /// Says how it went.
    private static func body(_ redlock: Redlock, _ resource: Resource, ttl: Duration, wait: Duration = patience) async {
        do {
            try await redlock.withLock(resource, ttl: ttl, waitingUpTo: wait) { _ in
                answer("held")
                _ = StandardInput.line()
            }
            answer("returned")
        } catch {
            answer("\(error)")
        }
    }

    /// Prints `connected`, waits for a line, and takes all locks at the same time; `held` for each, and how it ended. The
    /// line may be an instant of the machine's monotonic clock, in nanoseconds: several processes begin together then.
    private static func watch(
        _ redlock: Redlock, resources: Int, ttl: Duration, times: Int, work: Duration
    ) async throws {
        await (try redlock.acquire("first:\(getpid())", ttl: .seconds(60), waitingUpTo: patience)).release()
        answer("connected")
        let start = readLine().flatMap { Int($0) } ?? 0
        while SelfReport.monotonic() < start {}
        await withTaskGroup { group in
            for resource in 0..<resources {
                group.addTask {
                    for _ in 0..<times {
                        do {
                            try await redlock.withLock("watched:\(resource)", ttl: ttl, waitingUpTo: patience) { _ in
                                answer("held")
                                try await Task.sleep(for: work)
                            }
                        } catch {
                            answer("error \(error)")
                        }
                    }
                }
            }
        }
        answer("done")
    }

    /// Prints `connected`, waits for a line, and then for each hold its task, when it was granted and when it was let
    /// go, in nanoseconds of the machine's monotonic clock.
    private static func contend(
        _ redlock: Redlock, _ resource: Resource, tasks: Int, milliseconds: Int, work: Duration
    ) async throws {
        await (try redlock.acquire("first:\(getpid())", ttl: .seconds(60), waitingUpTo: patience)).release()
        answer("connected")
        _ = StandardInput.line()
        let end = SelfReport.monotonic() + milliseconds * 1_000_000
        let holds = try await withThrowingTaskGroup { group in
            for task in 0..<tasks {
                group.addTask {
                    var holds: [(Int, Int, Int)] = []
                    while SelfReport.monotonic() < end {
                        let lease = try await redlock.acquire(
                            resource, ttl: .seconds(10), waitingUpTo: patience)
                        let granted = SelfReport.monotonic()
                        if work > .zero { try await Task.sleep(for: work) }
                        holds.append((task, granted, SelfReport.monotonic()))
                        await lease.release()
                    }
                    return holds
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        for (task, granted, released) in holds { print("\(getpid()) \(task) \(granted) \(released)") }
        fflush(nil)
    }

    private static func once(_ redlock: Redlock, _ resource: Resource) async throws {
        await (try redlock.acquire("first", ttl: .seconds(60), waitingUpTo: patience)).release()
        answer("connected")
        _ = StandardInput.line()
        do {
            let lease = try await redlock.acquire(resource, ttl: .seconds(60))
            answer("acquired")
            await lease.release()
        } catch {
            answer(error.description)
        }
    }

    /// Answers each line of standard input with the number of descriptors and the resident memory in KiB.
    private static func load(_ redlock: Redlock, _ resource: Resource, tasks: Int) async {
        for task in 0..<tasks {
            Task {
                while true {
                    let name = Resource("\(resource):\(task)")
                    guard let lease = try? await redlock.acquire(name, ttl: .seconds(2), waitingUpTo: .seconds(1))
                    else {
                        continue
                    }
                    await lease.release()
                }
            }
        }
        answer("started")
        while StandardInput.line() != nil {
            answer("\(SelfReport.descriptors()) \(SelfReport.residentKiB())")
        }
        exit(0)
    }

    private static func answer(_ line: String) {
        print(line)
        fflush(nil)
    }
}

/// A file that holds a number.
enum NumberFile {
    static func read(_ path: String) -> Int {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = unsafe Glibc.read(descriptor, &bytes, bytes.count)
        return Int(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)) ?? 0
    }

    static func write(_ number: Int, to path: String) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        let bytes = [UInt8](String(number).utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
    }
}

enum SelfReport {
    static func monotonic() -> Int {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return now.tv_sec * 1_000_000_000 + now.tv_nsec
    }

    static func descriptors() -> Int {
        (0..<4_096).count { fcntl(Int32($0), F_GETFD) >= 0 }
    }

    static func residentKiB() -> Int {
        let descriptor = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = unsafe Glibc.read(descriptor, &bytes, bytes.count)
        let pages = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: " ")[1]
        return Int(pages)! * sysconf(Int32(_SC_PAGESIZE)) / 1_024
    }
}
