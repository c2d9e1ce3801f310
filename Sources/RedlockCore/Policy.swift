/// The rules and numbers that a machine decides by.
///
/// They never change. A class, so that handing them to every decision copies a reference and not all of them.
final class Policy: Sendable {
    let rules: any Rules
    let parameters: Parameters
    let quorum: Int
    let extensionQuorum: Int
    let acceptanceQuorum: Int

    init(rules: any Rules, parameters: Parameters) {
        self.rules = rules
        self.parameters = parameters
        quorum = rules.quorum(of: parameters.nodes)
        extensionQuorum = rules.extensionQuorum(of: parameters.nodes)
        acceptanceQuorum = rules.acceptanceQuorum(of: parameters.nodes)
    }

    var believesDurability: Bool { rules.believesDurability(trusts: parameters.trustsDurableNodes) }

    func drift(of ttl: Nanoseconds) -> Nanoseconds {
        rules.drift(of: ttl, partsPerMillion: parameters.driftPartsPerMillion)
    }
}
