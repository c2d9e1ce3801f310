package import RedlockCore
package import RedlockRedis

/// Forgets old fencing numbers on one node, step by step: `redlock forget-numbers`.
///
/// Each step is one script, which raises the node's floor before it deletes anything. So the removal may end after any
/// step, be run again, and run beside locks.
package struct NumberRemoval: Sendable {
    /// Keys that one step looks at, about: it keeps the node busy for less than a millisecond or two.
    package static let keysPerStep = 500
    /// How long one step may take.
    package static let stepTimeout = Nanoseconds.seconds(10)

    /// Numbers up to this many microseconds since 1970 are forgotten.
    package var cutoff: Int64
    /// How far the cutoff must be behind the node's own clock.
    package var age: Nanoseconds
    /// The beginning of the keys.
    package var prefix: [UInt8] = []
    /// Changes nothing, and counts what it would do.
    package var isDry = false
    /// Keys per second that are looked at, at most.
    package var rate = 20_000

    package init(cutoff: Int64, age: Nanoseconds) {
        self.cutoff = cutoff
        self.age = age
    }

    /// What was found and done on one node.
    package struct Report: Hashable, Sendable {
        /// The node's floor now; with a dry run, what it would be.
        package var floor: Int64 = 0
        package var numbers: Int64 = 0
        package var deleted: Int64 = 0
        /// Numbers that lost the expiry that an older version gave them.
        package var persisted: Int64 = 0
        /// Numbers beyond all that clocks and raises explain; they stay.
        package var implausible: Int64 = 0
        /// Keys with the end of a number's key that hold no number, or that the user may not read; they stay.
        package var others: Int64 = 0
        /// Why it ended early; nil if all keys were looked at.
        package var failure: String?
    }

    /// Works through one node. It blocks.
    ///
    /// - Parameters:
    ///   - pause: Waits for so long; false to stop.
    ///   - progress: Called after each step.
    package func run(
        on address: NodeAddress, pause: (Nanoseconds) -> Bool, progress: (Report) -> Void
    ) -> Report {
        var report = Report()
        do throws(ProbeFailure) {
            var connection = try Probe.connect(address, deadline)
            try Probe.signIn(address, &connection)
            var cursor = "0"
            repeat {
                connection.deadline = deadline
                cursor = try step(cursor, &connection, &report)
                progress(report)
                let isLast = cursor == "0" || report.failure != nil
                if !isLast, !pause(.seconds(1) * Int64(Self.keysPerStep) / Int64(rate)) {
                    report.failure = "interrupted"
                }
            } while cursor != "0" && report.failure == nil
        } catch {
            report.failure = NodeFindings.unreachable(error, Expectations()).seen
        }
        return report
    }

    private var deadline: Int64 { BootClock.nanoseconds + Self.stepTimeout.count }

    private func step(
        _ cursor: String, _ connection: inout BlockingConnection, _ report: inout Report
    ) throws(ProbeFailure) -> String {
        let microseconds = String(age.count / 1_000)
        let head = [
            "EVAL", Script.forgetNumbers, "1", Command.floorKey, String(cutoff), microseconds, cursor,
            String(Self.keysPerStep),
        ]
        let words = head.map { [UInt8]($0.utf8) } + [prefix, [UInt8]((isDry ? "1" : "0").utf8)]
        let reply = try Probe.ask([words], &connection)[0]
        guard case .list(let elements) = reply, elements.count == 7, case .text(let next) = elements[0],
            case .text(let floorText) = elements[1], let floor = Int64(floorText)
        else {
            report.failure = if case .error(let text) = reply { text } else { "no answer to the command" }
            return cursor
        }
        let counts = elements[2...].map { if case .integer(let count) = $0 { count } else { Int64(0) } }
        report.floor = floor
        report.numbers += counts[0]
        report.deleted += counts[1]
        report.persisted += counts[2]
        report.implausible += counts[3]
        report.others += counts[4]
        return next
    }
}
