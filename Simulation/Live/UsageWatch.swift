/// Looks for processes that take more and more: what they had after running in, against what they have at the
/// end.
struct UsageWatch {
    /// More is taken for a leak.
    private let allowedDescriptors: Int
    private static let allowedBytes: Int64 = 16 << 20

    /// How long a process runs in, in nanoseconds: until then it opens connections and touches its memory for the first
    /// time.
    private static let runningIn: Int64 = 10_000_000_000

    private var firstSeen: [String: Int64] = [:]
    private var before: [String: ProcessUsage] = [:]
    /// Those that took more, one line each.
    private(set) var leaks: [String] = []

    /// - Parameter clients: Each may or may not have a connection to a server at a moment, and an old one beside it.
    init(clients: Int) {
        allowedDescriptors = 16 + 2 * clients
    }

    /// To be called now and then: notes what each process has once it has run in.
    mutating func look(at usages: [(name: String, usage: ProcessUsage)], _ now: Int64) {
        for (name, usage) in usages where before[name] == nil {
            let since = firstSeen[name] ?? now
            firstSeen[name] = since
            if now - since >= Self.runningIn { before[name] = usage }
        }
    }

    /// Compares, and says in a sentence what came of it; nil when there is nothing to compare.
    mutating func end(with usages: [(name: String, usage: ProcessUsage)]) -> String? {
        var descriptors = 0
        var bytes: Int64 = 0
        var count = 0
        for (name, usage) in usages {
            guard let before = before[name] else { continue }
            count += 1
            let moreDescriptors = usage.descriptors - before.descriptors
            let moreBytes = usage.residentBytes - before.residentBytes
            descriptors = max(descriptors, moreDescriptors)
            bytes = max(bytes, moreBytes)
            guard moreDescriptors > allowedDescriptors || moreBytes > Self.allowedBytes else { continue }
            leaks.append(
                "\(name): \(before.descriptors) to \(usage.descriptors) descriptors, "
                    + "\(before.residentBytes >> 10) to \(usage.residentBytes >> 10) KiB")
        }
        guard count > 0 else { return nil }
        return
            "\(count) processes, since they had run in: at most \(descriptors) descriptors and \(bytes >> 10) KiB more each"
    }
}
