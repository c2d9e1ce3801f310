internal import RedlockCore

/// What the resources of a live run are called on the nodes.
enum LiveKeys {
    static func key(of resource: Int) -> String { "redlock-live:\(resource)" }
    static func numberKey(of resource: Int) -> String { key(of: resource) + Command.numberSuffix }

    static func numbers(_ count: Int) -> [[UInt8]: Int] {
        var numbers: [[UInt8]: Int] = [:]
        for resource in 0..<count { numbers[Array(key(of: resource).utf8)] = resource }
        return numbers
    }
}
