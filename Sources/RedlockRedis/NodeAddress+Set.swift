internal import RedlockCore

extension NodeAddress {
    /// The nodes of one lock: 1 to 15, each another endpoint.
    package static func set(of urls: [String]) throws(ParseError) -> [NodeAddress] {
        guard (1...Limits.nodes).contains(urls.count) else {
            throw ParseError(
                description: urls.isEmpty
                    ? "no nodes are given; at least one is needed, five are usual"
                    : "\(urls.count) nodes are given; at most \(Limits.nodes) are allowed")
        }
        var addresses: [NodeAddress] = []
        for url in urls {
            let address = try NodeAddress(url)
            // Another database of the same server is no independent node.
            guard !addresses.contains(where: { $0.endpoint == address.endpoint }) else {
                throw ParseError(
                    description: "the node \(address) is given twice; a quorum needs independent nodes")
            }
            addresses.append(address)
        }
        return addresses
    }
}
