import PrintableText
import RedlockCore
import RedlockRedis

/// Asks one node all there is to ask. It blocks, and decides nothing.
enum Probe {
    /// Readings of the clock. The one with the least round trip counts.
    static let clockSamples = 7

    /// - Parameters:
    ///   - key: A key that nobody has, for the trials of the rights.
    ///   - resources: Keys of locks whose fencing numbers are read.
    ///   - deadline: On ``BootClock``, for all but the look-up of a name.
    static func ask(
        _ address: NodeAddress, key: [UInt8], resources: [[UInt8]] = [], until deadline: Int64
    ) throws(ProbeFailure) -> NodeAnswers {
        let dialledAt = now
        var connection = try connect(address, deadline)
        try signIn(address, &connection)
        let replies = try ask(NodeFactsReader.questions + NodeAnswers.questions, &connection)
        let answeredAt = now
        var samples: [NodeAnswers.ClockSample] = []
        for _ in 0..<clockSamples {
            let wall = WallClock.microseconds
            let sentAt = now
            let reply = try ask([["TIME"]], &connection)[0]
            samples.append(.init(sentAt: wall, roundTrip: now - sentAt, reply: reply))
        }
        let keys = resources.map { Command.numberKey(of: $0) } + [[UInt8](Command.floorKey.utf8)]
        let numbers = resources.isEmpty ? [] : try ask(keys.map { [[UInt8]("GET".utf8), $0] }, &connection)
        let rights = try ask(Right.all.map { $0.trial(on: key) }, &connection)
        let facts = NodeFactsReader.questions.count
        var answers = NodeAnswers(
            dialledAt: dialledAt, answeredAt: answeredAt, facts: Array(replies[..<facts]),
            info: Array(replies[facts...]), rights: rights, clock: samples, hasPassword: address.password != nil,
            stranger: address.password == nil ? nil : askAsStranger(address, key: key, until: deadline))
        answers.numbers = numbers
        return answers
    }

    /// What somebody is told who has not signed in. DEL, because there may be a user for pings.
    private static func askAsStranger(_ address: NodeAddress, key: [UInt8], until deadline: Int64) -> Reply? {
        do throws(ProbeFailure) {
            var connection = try connect(address, deadline)
            let pong = try ask([["PING"]], &connection)[0]
            if case .error = pong { return pong }
            return try ask([[[UInt8]("DEL".utf8), key]], &connection)[0]
        } catch {
            return nil
        }
    }

    static func connect(_ address: NodeAddress, _ deadline: Int64) throws(ProbeFailure) -> BlockingConnection {
        do throws(BlockingConnection.Failure) {
            return try BlockingConnection(to: address.endpoint, until: deadline)
        } catch {
            throw .connection(error)
        }
    }

    private static func ask(
        _ commands: [[String]], _ connection: inout BlockingConnection
    ) throws(ProbeFailure) -> [Reply] {
        try ask(commands.map { words in words.map { [UInt8]($0.utf8) } }, &connection)
    }

    static func ask(
        _ commands: [[[UInt8]]], _ connection: inout BlockingConnection
    ) throws(ProbeFailure) -> [Reply] {
        do throws(BlockingConnection.Failure) {
            return try connection.ask(commands)
        } catch {
            throw .connection(error)
        }
    }

    static func signIn(
        _ address: NodeAddress, _ connection: inout BlockingConnection
    ) throws(ProbeFailure) {
        if let password = address.password {
            let words = ["AUTH"] + (address.user.map { [$0] } ?? []) + [password]
            if case .error(let text) = try ask([words], &connection)[0] {
                // What a server says about AUTH may quote it.
                throw Reply.error(text).turnsAway
                    ? .turnedAway(text)
                    : .signIn(
                        text.contains(password) || text.contains(password.printable) ? "refused" : text)
            }
        }
        if address.database != 0 {
            let reply = try ask([["SELECT", String(address.database)]], &connection)[0]
            if case .error(let text) = reply { throw Reply.error(text).turnsAway ? .turnedAway(text) : .database(text) }
        }
        if case .error(let text) = try ask([["PING"]], &connection)[0] {
            if Reply.error(text).turnsAway { throw .turnedAway(text) }
            if text.hasPrefix("NOAUTH") { throw .signIn(text) }
        }
    }

    private static var now: Instant { Instant(nanoseconds: BootClock.nanoseconds) }
}
