/// How far a run was from a violation: first the time for which keys would have outlived a belief, then the nodes that
/// another holder still lacked. The least of the whole run counts.
package struct Distance: Hashable, Comparable, Sendable {
    package let margin: Int
    /// From the end of a belief to the moment at which another could get in; negative is a violation to be.
    package let slack: Int64

    /// Nil for runs that say nothing: nobody held, or a broken assumption explains what happened.
    package init?(_ outcome: Outcome) {
        guard outcome.violations.isEmpty, let margin = outcome.leastMargin else { return nil }
        self.margin = margin
        slack = outcome.leastSlack ?? Clock.never
    }

    package static func < (one: Distance, other: Distance) -> Bool {
        (one.slack, one.margin) < (other.slack, other.margin)
    }
}

/// Looks for a violation by changing the schedules that came nearest to one.
///
/// A few schedules are kept side by side and never compared with each other after the beginning: each is replaced by
/// the best of its own variants if that one is at least as near. So the search does not end up in a single corner.
package struct Search: Sendable {
    package struct Kept: Sendable {
        package let schedule: Schedule
        package let distance: Distance

        package init(_ schedule: Schedule, _ distance: Distance) {
            self.schedule = schedule
            self.distance = distance
        }
    }

    /// How many schedules are kept.
    package static let width = 16

    private let seed: UInt64
    private let profile: Profile
    package private(set) var kept: [Kept] = []
    package private(set) var round = 0

    package init(seed: UInt64, _ profile: Profile) {
        self.seed = seed
        self.profile = profile
    }

    /// Takes the runs of the first seeds, in their order.
    package mutating func begin(with runs: [Kept]) {
        let sorted = runs.enumerated().sorted {
            ($0.element.distance, $0.offset) < ($1.element.distance, $1.offset)
        }
        kept = sorted.prefix(Self.width).map(\.element)
    }

    /// The variant of a round with this number: a pure function of both, whoever asks.
    package func variant(_ number: Int) -> Schedule {
        var random = Randomness(seed: seed, .search, round, number)
        return kept[number % kept.count].schedule.varied(profile, &random)
    }

    /// Takes the runs of a round, by the numbers of their variants, and says how many of the kept were improved.
    @discardableResult
    package mutating func advance(with runs: [(number: Int, run: Kept)]) -> Int {
        var improved: Set<Int> = []
        for (number, run) in runs.sorted(by: { $0.number < $1.number }) {
            let place = number % kept.count
            guard run.distance <= kept[place].distance, run.schedule != kept[place].schedule else { continue }
            if run.distance < kept[place].distance { improved.insert(place) }
            kept[place] = run
        }
        round += 1
        return improved.count
    }

    package var nearest: Distance? { kept.map(\.distance).min() }
}
