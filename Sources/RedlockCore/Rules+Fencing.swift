// The rules of fencing tokens, as they ship.

extension Rules {
    /// As many as must grant: two quorums share a node, and that node accepts rising numbers only.
    package func acceptanceQuorum(of nodes: Int) -> Int {
        quorum(of: nodes)
    }

    /// Never. Only what a node calls accepted is: a number equal to ours may have been accepted from another.
    package func isAcceptance(reported: Int64, proposed: Int64) -> Bool {
        false
    }

    /// The number that a quorum accepted, and no other.
    package func fencingToken(accepted: Int64, highestReported: Int64) -> Int64 {
        accepted
    }

    /// The clock makes the first proposal succeed as a rule, and keeps numbers rising over nodes that lost theirs. What
    /// has been seen already is never proposed again.
    package func fencingProposal(wallClock: Int64, highestSeen: Int64) -> Int64 {
        min(max(wallClock, highestSeen + 1), Limits.fencingNumber)
    }
}
