/// A run as a page: one file, no network, to be read by eye, by keyboard, or as a table.
package enum HTMLReport {
    /// More would make a page that no browser likes; then it is the window round the violation.
    static let maximumEvents = 10_000

    package static func page(_ schedule: Schedule, _ outcome: Outcome, _ trace: [TraceRecord]) -> String {
        let picture = Picture(schedule, outcome, trace)
        let title =
            outcome.worst.map { "\($0.oracle.rawValue) at \(Format.seconds($0.at))" } ?? "every promise was kept"
        let verdict = Explanation.verdict(outcome, of: schedule).map { "<p>\(Markup.escaped($0))</p>" }.joined()
        // "</" must not end the script element that the data is in.
        var data = ""
        for character in picture.json.text { data += character == "<" ? "\\u003c" : String(character) }
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>redlock-sim: \(Markup.escaped(title))</title>
            <style>\(style)</style>
            </head>
            <body>
            <header class="\(outcome.verdict.rawValue)">
            <h1>\(Markup.escaped(title))</h1>
            \(verdict)
            <p class="world">Seed \(schedule.seed): \(Markup.escaped(Explanation.world(schedule.options))).</p>
            </header>
            <main>
            <h2>What led to it</h2>
            <ol>\(picture.story.map { "<li>\(Markup.escaped($0))</li>" }.joined(separator: "\n"))</ol>
            <h2 id="caption">The picture</h2>
            <p class="help">Each client's lane shows when it <b>believed</b> that it held the lock; each node's lane shows whose
            key it <b>had</b>. A label such as <i>c0 #12</i> is client 0's attempt 12: the same label is the same token. Shaded
            and hatched spans are faults. Keys: ← → event by event, + − zoom, v the
            violation; in the picture also PgUp PgDn for ten events, Home End.</p>
            <div id="picture" tabindex="0" role="img" aria-labelledby="caption"></div>
            <p id="now" aria-live="polite"></p>
            <h2>The same as a table</h2>
            <details><summary id="summary">All events of the picture</summary>
            <table><thead><tr><th>Time (s)<th>What<th>Client<th>Node<th>Attempt<th>Detail</tr></thead>
            <tbody id="rows"></tbody></table></details>
            </main>
            <script type="application/json" id="data">\(data)</script>
            <script>\(script)</script>
            </body>
            </html>

            """
    }
}
