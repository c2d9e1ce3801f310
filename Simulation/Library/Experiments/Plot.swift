/// Lines with error bars over a few points, as one SVG file: readable on white and on black, and without telling
/// colours apart. The same values give the same bytes.
struct Plot {
    /// A value, and where the true one may be.
    struct Value {
        let value: Double
        let interval: ClosedRange<Double>

        init(_ value: Double, _ interval: ClosedRange<Double>) {
            self.value = value
            self.interval = interval
        }
    }

    /// A value for each point of the axis; nil where there is none.
    struct Line {
        let name: String
        let values: [Value?]
    }

    struct Panel {
        let title: String
        let unit: String
        /// The end of the scale; nil to find it from the values.
        var top: Double?
        let lines: [Line]
    }

    let axis: String
    let labels: [String]
    let panels: [Panel]

    private static let width = 430.0
    private static let height = 240.0
    private static let left = 58.0
    private static let top = 34.0
    private static let margin = 18.0
    private static let legendLine = 18.0

    /// On white, on black, and the dashes of a line.
    private static let strokes = [
        ("#0969da", "#58a6ff", ""), ("#bc4c00", "#f0883e", "6 3"), ("#1a7f37", "#3fb950", "2 3"),
        ("#8250df", "#bc8cff", "8 3 2 3"), ("#a40e26", "#ff7b72", "12 4"), ("#57606a", "#8b949e", "1 5"),
    ]

    var svg: String {
        let names = panels.first?.lines.map(\.name) ?? []
        let wide = Double(panels.count) * (Self.left + Self.width) + Self.margin
        let legend = Self.top + Self.height + 64
        let tall = legend + Double(names.count) * Self.legendLine
        var text = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(wide)) \(number(tall))" \
            width="\(number(wide))" height="\(number(tall))" role="img">
            <title>\(Markup.escaped(panels.map(\.title).joined(separator: "; ") + "; by " + axis))</title>
            <style>
            \(style)
            </style>
            <rect class="back" width="100%" height="100%"/>

            """
        for (index, panel) in panels.enumerated() {
            text += draw(panel, at: Double(index) * (Self.left + Self.width) + Self.left)
        }
        for (index, name) in names.enumerated() {
            let y = legend + Double(index) * Self.legendLine
            text += path(index, [(Self.left, y - 4), (Self.left + 40, y - 4)])
            text += marker(index, Self.left + 20, y - 4)
            text += label(name, Self.left + 50, y, "start")
        }
        return text + "</svg>\n"
    }

    private var style: String {
        func colours(_ ink: String, _ faint: String, _ back: String, _ pick: ((String, String, String)) -> String)
            -> String
        {
            let series = Self.strokes.indices.map {
                ".s\($0){stroke:\(pick(Self.strokes[$0]))}.f\($0){fill:\(pick(Self.strokes[$0]))}"
            }
            return "text{fill:\(ink)}.back{fill:\(back)}.grid{stroke:\(faint)}.axis{stroke:\(ink)}" + series.joined()
        }
        return """
            text{font:12px system-ui,sans-serif}.title{font-weight:600}.line{fill:none;stroke-width:2}
            \(colours("#1f2328", "#d1d9e0", "#ffffff") { $0.0 })
            @media (prefers-color-scheme:dark){\(colours("#f0f6fc", "#3d444d", "#0d1117") { $0.1 })}
            """
    }

    private func draw(_ panel: Panel, at left: Double) -> String {
        let width = Self.width - Self.margin
        let highest = panel.lines.flatMap { $0.values }.compactMap { $0?.interval.upperBound }.max() ?? 1
        let top = panel.top ?? Self.roundedUp(max(highest, 0.1))
        func x(_ point: Int) -> Double { left + width * (Double(point) + 0.5) / Double(labels.count) }
        func y(_ value: Double) -> Double { Self.top + Self.height * (1 - min(value / top, 1)) }

        var text = label("\(panel.title), \(panel.unit)", left, 18, "start", "title")
        for step in 0...4 {
            let value = top * Double(step) / 4
            text += rule(step == 0 ? "axis" : "grid", (left, y(value)), (left + width, y(value)))
            text += label(number(value), left - 6, y(value) + 4, "end")
        }
        for (point, name) in labels.enumerated() {
            text += label(name, x(point), Self.top + Self.height + 17, "middle")
        }
        text += label(axis, left + width / 2, Self.top + Self.height + 36, "middle")
        for (index, line) in panel.lines.enumerated() {
            // Beside each other, so that bars of lines with the same values can be seen.
            let shift = (Double(index) - Double(panel.lines.count - 1) / 2) * 5
            var points: [(Double, Double)] = []
            for (point, known) in line.values.enumerated() {
                guard let known else { continue }
                points.append((x(point) + shift, y(known.value)))
                text += rule(
                    "s\(index)", (x(point) + shift, y(known.interval.lowerBound)),
                    (x(point) + shift, y(known.interval.upperBound)))
            }
            text += path(index, points)
            for point in points { text += marker(index, point.0, point.1) }
        }
        return text
    }

    private func path(_ index: Int, _ points: [(Double, Double)]) -> String {
        let index = index % Self.strokes.count
        let dash = Self.strokes[index].2
        return "<polyline class=\"line s\(index)\"" + (dash.isEmpty ? "" : " stroke-dasharray=\"\(dash)\"")
            + " points=\"\(list(points))\"/>\n"
    }

    /// Each line has a shape of its own.
    private func marker(_ index: Int, _ x: Double, _ y: Double) -> String {
        let fill = "class=\"f\(index % Self.strokes.count)\""
        func polygon(_ points: [(Double, Double)]) -> String {
            "<polygon \(fill) points=\"\(list(points.map { (x + $0.0, y + $0.1) }))\"/>\n"
        }
        switch index % 5 {
        case 0: return "<circle \(fill) cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"4\"/>\n"
        case 1: return polygon([(-4, -4), (4, -4), (4, 4), (-4, 4)])
        case 2: return polygon([(0, -5), (5, 4), (-5, 4)])
        case 3: return polygon([(0, -5), (5, 0), (0, 5), (-5, 0)])
        default: return polygon([(0, 5), (5, -4), (-5, -4)])
        }
    }

    private func rule(_ style: String, _ from: (Double, Double), _ to: (Double, Double)) -> String {
        "<line class=\"\(style)\" x1=\"\(number(from.0))\" y1=\"\(number(from.1))\" x2=\"\(number(to.0))\" y2=\"\(number(to.1))\"/>\n"
    }

    private func label(_ text: String, _ x: Double, _ y: Double, _ anchor: String, _ style: String? = nil) -> String {
        "<text\(style.map { " class=\"\($0)\"" } ?? "") x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">"
            + "\(Markup.escaped(text))</text>\n"
    }

    private func list(_ points: [(Double, Double)]) -> String {
        points.map { "\(number($0.0)),\(number($0.1))" }.joined(separator: " ")
    }

    /// One, two, four or eight times a power of ten: quarters of it are short.
    private static func roundedUp(_ value: Double) -> Double {
        var power = 1.0
        while power < value { power *= 10 }
        while power / 10 >= value { power /= 10 }
        return [0.2, 0.4, 0.8].map { $0 * power }.first { $0 >= value } ?? power
    }

    /// Up to two decimals.
    private func number(_ value: Double) -> String { Format.decimal(Int64((value * 100).rounded()), per: 100) }
}
