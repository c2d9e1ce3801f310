import RedlockCore
import Testing

@testable import Redlock

@Suite struct ConfigurationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var change: @Sendable (inout Redlock.Configuration) -> Void

        init(_ words: String, _ change: @escaping @Sendable (inout Redlock.Configuration) -> Void) {
            testDescription = words
            self.change = change
        }
    }

    /// A value outside its range, and what the error must say.
    @Test(
        arguments: [
            Case("nodeTimeout is \(Duration.zero)") { $0.nodeTimeout = .zero },
            Case("nodeTimeout") { $0.nodeTimeout = .microseconds(999) },
            Case("nodeTimeout") { $0.nodeTimeout = .milliseconds(60_001) },
            Case("connectTimeout") { $0.connectTimeout = .zero },
            Case("connectTimeout") { $0.connectTimeout = .milliseconds(60_001) },
            Case("retryDelay") { $0.retryDelay = .zero },
            Case("retryDelay") { $0.retryDelay = .milliseconds(60_001) },
            Case("retryJitter") { $0.retryJitter = .nanoseconds(-1) },
            Case("retryJitter") { $0.retryJitter = .milliseconds(60_001) },
            Case("driftFactor is -0.001; it must be from 0 to 0.5") { $0.driftFactor = -0.001 },
            Case("driftFactor") { $0.driftFactor = 0.501 },
            Case("driftFactor") { $0.driftFactor = .nan },
            Case("driftFactor") { $0.driftFactor = .infinity },
            Case("ttlLimits.lowerBound") { $0.ttlLimits = .milliseconds(2) ... .seconds(1) },
            Case("ttlLimits.lowerBound") { $0.ttlLimits = .seconds(-1) ... .seconds(1) },
            Case("ttlLimits.upperBound") { $0.ttlLimits = .seconds(1) ... .seconds(86_401) },
            Case("lossMargin") { $0.lossMargin = .nanoseconds(-1) },
            Case("lossMargin") { $0.lossMargin = .seconds(86_401) },
            Case("maximumHold") { $0.maximumHold = .milliseconds(9) },
            Case("maximumHold") { $0.maximumHold = .zero },
            Case("keyPrefix has 1024 bytes") { $0.keyPrefix = String(repeating: "x", count: 1_024) },
            // The drift of the shortest ttl must leave something of it.
            Case("the clock drift") {
                $0.ttlLimits = .milliseconds(3) ... .seconds(1)
                $0.driftFactor = 0.5
            },
        ])
    func aValueOutsideItsRangeIsRefused(value: Case) throws {
        var configuration = Redlock.Configuration()
        value.change(&configuration)
        let error = try #require(throws: RedlockError.self) {
            try Redlock(nodes: absentNodes(1), configuration: configuration)
        }
        #expect(error.code == .invalidArgument)
        #expect(error.message.contains(value.testDescription))
    }

    @Test(arguments: [
        Case("the defaults") { _ in },
        Case("the least") {
            $0.nodeTimeout = .milliseconds(1)
            $0.connectTimeout = .milliseconds(1)
            $0.retryDelay = .milliseconds(1)
            $0.retryJitter = .zero
            $0.driftFactor = 0
            $0.ttlLimits = .milliseconds(3) ... .milliseconds(3)
            $0.lossMargin = .zero
            $0.maximumHold = .milliseconds(10)
        },
        Case("the most") {
            $0.nodeTimeout = .seconds(60)
            $0.connectTimeout = .seconds(60)
            $0.retryDelay = .seconds(60)
            $0.retryJitter = .seconds(60)
            $0.driftFactor = 0.5
            $0.ttlLimits = .seconds(86_400) ... .seconds(86_400)
            $0.lossMargin = .seconds(86_400)
            $0.maximumHold = .seconds(Int64.max)
            $0.keyPrefix = String(repeating: "x", count: 1_023)
        },
        Case("one attempt") { $0.maximumAttempts = 1 },
        Case("no maximum hold") { $0.maximumHold = nil },
    ])
    func valuesAtTheEndsOfTheirRangesAreInOrder(value: Case) async throws {
        var configuration = Redlock.Configuration()
        value.change(&configuration)
        await (try Redlock(nodes: absentNodes(1), configuration: configuration)).shutdown()
    }

    @Test func theEngineGetsTheNumbersAsTheyAre() throws {
        var configuration = Redlock.Configuration()
        configuration.nodeTimeout = .milliseconds(250)
        configuration.connectTimeout = .milliseconds(1_500)
        configuration.retryDelay = .microseconds(1_500)
        configuration.retryJitter = .nanoseconds(7)
        configuration.driftFactor = 0.02
        configuration.lossMargin = .milliseconds(33)
        let parameters = try configuration.parameters(nodes: 5)
        #expect(parameters.nodes == 5)
        #expect(parameters.nodeTimeout == .milliseconds(250))
        #expect(parameters.connectTimeout == .milliseconds(1_500))
        #expect(parameters.silenceTimeout == .milliseconds(2_500))
        #expect(parameters.retryDelay == .microseconds(1_500))
        #expect(parameters.retryJitter == Nanoseconds(7))
        #expect(parameters.driftPartsPerMillion == 20_000)
        #expect(parameters.lossMargin == .milliseconds(33))
        #expect(!parameters.reports)
        configuration.observer = { _ in }
        #expect(try configuration.parameters(nodes: 5).reports)
    }

    @Test func theDefaultsAreTheDocumentedOnes() throws {
        let parameters = try Redlock.Configuration().parameters(nodes: 3)
        #expect(parameters.nodeTimeout == .milliseconds(100))
        #expect(parameters.silenceTimeout == .seconds(1))
        #expect(parameters.driftPartsPerMillion == 10_000)
        #expect(parameters.lossMargin == nil)
    }

    @Test func aDriftThatIsNoWholeNumberOfMillionthsIsRoundedUp() throws {
        var configuration = Redlock.Configuration()
        configuration.driftFactor = 0.000_000_1
        #expect(try configuration.parameters(nodes: 1).driftPartsPerMillion == 1)
    }

    @Test func theKeyIsThePrefixAndTheName() throws {
        var configuration = Redlock.Configuration()
        #expect(try configuration.key(of: "invoice") == [UInt8]("invoice".utf8))
        configuration.keyPrefix = "é:"
        #expect(try configuration.key(of: Resource(bytes: [0xff, 0])) == [UInt8]("é:".utf8) + [0xff, 0])
        configuration.keyPrefixBytes = [0xfe, 0x3a]
        #expect(try configuration.key(of: Resource(bytes: [0xff, 0])) == [0xfe, 0x3a, 0xff, 0])
        #expect(configuration.keyPrefix == "\u{fffd}:")
    }

    @Test(arguments: [
        (Duration.zero, Nanoseconds.zero),
        (.nanoseconds(1), Nanoseconds(1)),
        (.milliseconds(-1_500), .milliseconds(-1_500)),
        (Duration(secondsComponent: 1, attosecondsComponent: 999_999_999), .seconds(1)),
        (.seconds(Int64.max), .forever),
        (.seconds(Int64.min), .zero - .forever),
    ])
    func durationsBecomeNanosecondsWithoutOverflow(duration: Duration, nanoseconds: Nanoseconds) {
        #expect(Nanoseconds(duration) == nanoseconds)
    }

    @Test func nanosecondsBecomeDurations() {
        #expect(Duration(Nanoseconds.milliseconds(1_500)) == .milliseconds(1_500))
    }
}
