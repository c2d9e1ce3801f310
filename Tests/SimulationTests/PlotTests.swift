import Testing

@testable import RedlockSimulation

@Suite("Plots")
struct PlotTests {
    private static let plot = Plot(
        axis: "ttl < 1 s & more", labels: ["1 s", "2 s", "3 s"],
        panels: [
            Plot.Panel(
                title: "Overlap", unit: "% of runs",
                lines: [
                    Plot.Line(name: "plain", values: [Plot.Value(0, 0...1), Plot.Value(12, 10...15), nil]),
                    Plot.Line(name: "a > b", values: [nil, nil, nil]),
                ]),
            Plot.Panel(title: "Granted", unit: "%", top: 100, lines: []),
        ])

    @Test("are well-formed")
    func wellFormed() throws {
        let names = try Self.elements(of: Self.plot.svg)
        #expect(names.first == "svg")
        // A bar and a mark for each value, and a mark in the legend.
        #expect(names.count { $0 == "circle" } == 3)
        #expect(names.count { $0 == "polyline" } == 4)
    }

    @Test("are the same bytes each time")
    func deterministic() {
        #expect(Self.plot.svg == Self.plot.svg)
    }

    @Test("say what is measured, in which unit, and against what")
    func labels() {
        for text in ["Overlap, % of runs", "Granted, %", "ttl &lt; 1 s &amp; more", "2 s", "plain", "a &gt; b"] {
            #expect(Self.plot.svg.contains(">\(text)</text>"), "\(text)")
        }
    }

    @Test("have ink for a white and for a black page")
    func bothBackgrounds() {
        #expect(Self.plot.svg.contains("prefers-color-scheme:dark"))
        #expect(Self.plot.svg.contains(#"<rect class="back""#))
    }

    @Test("have a scale that ends above the highest bar")
    func scale() {
        #expect(Self.plot.svg.contains(">20</text>"), "15 % is the highest")
        #expect(Self.plot.svg.contains(">100</text>"), "the end that was given")
    }

    @Test("exist of every experiment", arguments: Experiment.all.map(\.name))
    func ofExperiments(name: String) throws {
        let experiment = try #require(Experiment.named(name))
        // Without a single run there is nothing to draw, and that must not be a crash.
        _ = try Self.elements(of: ExperimentResult(experiment, seeds: 1).svg)
    }

    /// The names of all elements, in order; what opens must close, in the right order.
    private static func elements(of text: String) throws -> [String] {
        var names: [String] = []
        var open: [Substring] = []
        for part in text.split(separator: "<").drop(while: { $0.allSatisfy(\.isWhitespace) }) {
            let tag = try #require(part.split(separator: ">", omittingEmptySubsequences: false).first)
            #expect(part.contains(">"), "\(part)")
            #expect(tag.count { $0 == "\"" } % 2 == 0, "\(tag)")
            if tag.hasPrefix("/") {
                #expect(open.popLast() == tag.dropFirst(), "\(tag)")
                continue
            }
            let name = try #require(tag.split(whereSeparator: { $0 == " " || $0 == "/" || $0 == "\n" }).first)
            names.append(String(name))
            if !tag.hasSuffix("/") { open.append(name) }
        }
        #expect(open.isEmpty)
        return names
    }
}
