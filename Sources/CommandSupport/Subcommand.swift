/// One thing that a program does: its name, what it takes, what its help says, and the work. All there is to add.
package struct Subcommand: Sendable {
    package let name: String
    /// What stands after the options, as the help shows it: `RESOURCE -- COMMAND [ARGUMENT...]`.
    package let operands: String
    /// What it does, from "runs …" on: a line of the overview, and the first of its own help.
    package let summary: String
    package let options: [Option]
    /// Options that it does not have, with what to write instead.
    let missing: [Option]
    package let order: Arguments.Order
    /// Words that an operand may be, for completion.
    package let choices: [String]
    /// What there is to know besides the options.
    package let notes: String
    /// Does it, and returns the exit code.
    package let run: @Sendable (Arguments) async throws -> Int32

    package init(
        _ name: String, operands: String = "", summary: String, options: [Option] = [],
        order: Arguments.Order = .mixed, choices: [String] = [], notes: String = "",
        run: @escaping @Sendable (Arguments) async throws -> Int32
    ) {
        self.name = name
        self.operands = operands
        self.summary = summary
        self.options = options.filter { $0.replacement == nil } + [.help]
        missing = options.filter { $0.replacement != nil }
        self.order = order
        self.choices = choices
        self.notes = notes
        self.run = run
    }

    /// The help: for a terminal of 24 lines and 80 columns.
    func help(of program: String) -> String {
        let words = [program, name, options.count > 1 ? "[options]" : "", operands].filter { !$0.isEmpty }
        let rows = options.map { (left: $0.label, right: $0.help) }
        return """
            usage: \(words.joined(separator: " "))
            \(Page.wrapped(summary.prefix(1).uppercased() + summary.dropFirst() + ".").joined(separator: "\n"))

            \(Page.table(rows))
            """ + (notes.isEmpty ? "" : "\n\n" + notes)
    }
}
