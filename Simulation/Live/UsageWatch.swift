/// Looks for processes that take more and more: what they had after a while of running in, against what they have at the
/// end.
struct UsageWatch {
    /// More is taken for a leak.
    private static let allowedDescriptors = 16
    private static let allowedBytes: Int64 = 16 << 20

    private var before: [String: ProcessUsage] = [:]
    /// Those that took more, one line each.
    private(set) var leaks: [String] = []

    /// Notes what processes have that were not known yet.
    mutating func begin(with usages: [(name: String, usage: ProcessUsage)]) {
        for (name, usage) in usages where before[name] == nil { before[name] = usage }
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
            guard moreDescriptors > Self.allowedDescriptors || moreBytes > Self.allowedBytes else { continue }
            leaks.append(
                "\(name): \(before.descriptors) to \(usage.descriptors) descriptors, "
                    + "\(before.residentBytes >> 10) to \(usage.residentBytes >> 10) KiB")
        }
        guard count > 0 else { return nil }
        return
            "\(count) processes, from ten seconds on: at most \(descriptors) descriptors and \(bytes >> 10) KiB more each"
    }
}
