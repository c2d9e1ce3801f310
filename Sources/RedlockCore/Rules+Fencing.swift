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

    /// By no clock of this client: a client whose clock is wrong must be able to lock. What a clock may propose is
    /// plausible. Beyond that, numbers go up by one with each grant; so the number must be near one that this client
    /// proposes, or more nodes than may fail must know it. A bound alone would not do: one node that reports the
    /// highest number below it would use up all numbers.
    package func isPlausible(number: Int64, proposed: Int64, witnesses: Int, spare: Int) -> Bool {
        number <= Limits.fencingProposal || number - Limits.fencingNumbersMissed <= proposed || witnesses > spare
    }

    /// The highest of the numbers, one of each node, that is plausible beside the others. A number above it is bad.
    ///
    /// A bad number is mended by this one. That loses nothing: what a quorum accepted together with the node, the
    /// others of that quorum have too; and the bad number is a witness for what it replaced.
    package func highestPlausible(among numbers: [Int64], spare: Int) -> Int64 {
        numbers.filter { number in
            let witnesses = numbers.count { $0 >= number - Limits.fencingNumbersMissed }
            return number < Limits.fencingNumber
                && isPlausible(number: number, proposed: 0, witnesses: witnesses, spare: spare)
        }.max() ?? 0
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
