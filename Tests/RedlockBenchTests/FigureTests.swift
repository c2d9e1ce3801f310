import Testing

@testable import RedlockBench

@Suite("Figures")
struct FigureTests {
    private func samples(_ values: [Int64]) -> Samples {
        var samples = Samples()
        for value in values { samples.add(value) }
        return samples
    }

    @Test("Percentiles are values that were measured, in microseconds")
    func percentiles() {
        let sorted = samples((1...1_000).reversed().map { $0 * 1_000 }).sorted()
        #expect(sorted.percentile(0.5) == 501)
        #expect(sorted.percentile(0.99) == 991)
        #expect(sorted.percentile(0.999) == 1_000)
        #expect(sorted.percentile(1) == 1_000)
        #expect(samples([]).sorted().percentile(0.5) == 0)
        #expect(samples([7_000]).sorted().percentile(0.999) == 7)
    }

    @Test("Jain's index is 1 when all have the same, and 1/n when one has all")
    func fairness() {
        #expect([3.0, 3, 3, 3].fairness == 1)
        #expect([8.0, 0, 0, 0].fairness == 0.25)
        #expect([Double]().fairness == 1)
    }

    @Test("A batch of a pipeline counts as its cycles")
    func batches() {
        let figures = Figures(
            cycles: samples([1_000, 3_000]), acquires: samples([500, 500]), cyclesPerSample: 16, seconds: 2,
            cpuSeconds: 1)
        #expect(figures.cycles == 32)
        #expect(figures.cyclesPerSecond == 16)
        #expect(figures.cpuPerCycle == 1e6 / 32)
        #expect(figures.acquireMedian == 0.5)
    }

    @Test("Ratios are taken round by round, and their median is told")
    func ratios() {
        func figures(_ microseconds: Int64) -> Figures {
            Figures(cycles: samples([microseconds * 1_000]), acquires: samples([0]), seconds: 1, cpuSeconds: nil)
        }
        // The machine became ten times slower: no ratio of medians would be right, the median of ratios is.
        let rounds = [(1, 2), (10, 20), (10, 30)].map { RoundResult(floor: figures($0.0), library: figures($0.1)) }
        let row = RoundResult.row(.healthy, callers: 1, rounds)
        #expect(row.ratios.latency == 2)
        #expect(row.ratios.toHealthy == nil)
        #expect(row.ratios.cpu == nil)
    }

    @Test("A handover is from a release to the next owner's grant; the same owner again is none")
    func handovers() {
        let holdings = [
            Contention.Holding(contender: 0, granted: 1_000, released: 2_000),
            Contention.Holding(contender: 1, granted: 5_000, released: 6_000),
            Contention.Holding(contender: 1, granted: 7_000, released: 8_000),
        ]
        let figures = ContentionFigures(
            place: .oneProcess, contenders: 2,
            Contention.Outcome(holdings: holdings.reversed(), seconds: 1, commands: 60))
        #expect(figures.changes == 1)
        #expect(figures.releaseToGrantMedian == 3)
        #expect(figures.acquisitions == 3)
        #expect(figures.commandsPerAcquisition == 20)
        #expect(figures.fairness == 0.9)
    }
}

@Suite("Options of the bench")
struct OptionTests {
    @Test("What is out of its limits, or does not fit, is named")
    func complaints() {
        func complaint(_ change: (inout BenchOptions) -> Void) -> String? {
            var options = BenchOptions()
            change(&options)
            return options.complaint
        }
        #expect(complaint { _ in } == nil)
        #expect(BenchOptions.quick.complaint == nil)
        #expect(complaint { $0.rounds = 101 }?.contains("rounds is 101") == true)
        #expect(complaint { $0.rounds = 0 } != nil)
        #expect(complaint { $0.time = .seconds(61) }?.contains("time") == true)
        #expect(complaint { $0.callers = [1, 5_000] }?.contains("5000") == true)
        #expect(complaint { $0.contenders = 1 }?.contains("from 2 to 64") == true)
        #expect(complaint { $0.memoryCount = 10 } != nil)
        #expect(complaint { $0.cases = [] }?.contains("healthy") == true)
        #expect(complaint { $0.nodes = ["redis://a"] }?.contains("the case refused needs servers") == true)
        #expect(
            complaint {
                $0.nodes = ["redis://a"]; $0.cases = [.healthy, .contended, .memory]
            } == nil)
    }
}
