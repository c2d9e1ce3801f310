/// A line that a client process reads.
enum ClientOrder: Hashable, Sendable {
    case acquire(worker: Int, resource: Int, ttl: Int64, wait: Int64, extendsItself: Bool)
    case extend(worker: Int, ttl: Int64)
    case release(worker: Int)
    case cancel(worker: Int)
    case write(worker: Int, delay: Int64)
    /// Lock and unlock until told to stop.
    case work
    /// Finish what is under way, release, and end.
    case stop
    /// Shut the coordinator down, in the middle of everything, and end.
    case shutdown

    var line: String {
        switch self {
        case .acquire(let worker, let resource, let ttl, let wait, let extendsItself):
            "acquire \(worker) \(resource) \(ttl) \(wait) \(extendsItself ? 1 : 0)"
        case .extend(let worker, let ttl): "extend \(worker) \(ttl)"
        case .release(let worker): "release \(worker)"
        case .cancel(let worker): "cancel \(worker)"
        case .write(let worker, let delay): "write \(worker) \(delay)"
        case .work: "work"
        case .stop: "stop"
        case .shutdown: "shutdown"
        }
    }

    init?(line: String) {
        let words = line.split(separator: " ").map { String($0) }
        let numbers = words.dropFirst().compactMap { Int64($0) }
        guard numbers.count == words.count - 1 else { return nil }
        switch (words.first, numbers.count) {
        case ("acquire", 5):
            self = .acquire(
                worker: Int(numbers[0]), resource: Int(numbers[1]), ttl: numbers[2], wait: numbers[3],
                extendsItself: numbers[4] == 1)
        case ("extend", 2): self = .extend(worker: Int(numbers[0]), ttl: numbers[1])
        case ("release", 1): self = .release(worker: Int(numbers[0]))
        case ("cancel", 1): self = .cancel(worker: Int(numbers[0]))
        case ("write", 2): self = .write(worker: Int(numbers[0]), delay: numbers[1])
        case ("work", 0): self = .work
        case ("stop", 0): self = .stop
        case ("shutdown", 0): self = .shutdown
        default: return nil
        }
    }
}
