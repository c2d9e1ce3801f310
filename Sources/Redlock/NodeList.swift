extension Redlock {
    /// The nodes of a list, as an environment variable has it: separated by commas, newlines, carriage returns or tabs.
    ///
    /// Spaces around an entry are left out, and so are blank lines: `a,b`, `a, b` and `a,\nb\n` are the same two nodes.
    /// An entry between two commas, before a first or behind a last one must not be empty: a node that is missing would
    /// change the quorum unnoticed. The entries themselves are checked by ``init(nodes:configuration:)``.
    ///
    /// ```swift
    /// let nodes = try Redlock.nodes(inList: environment["REDLOCK_NODES"] ?? "", named: "REDLOCK_NODES")
    /// let redlock = try Redlock(nodes: nodes)
    /// ```
    ///
    /// - Parameters:
    ///   - list: URLs, or hosts to make URLs of. Within a URL, a separator in a password is written as an escape: `%2C`
    ///     for a comma, `%0A` for a newline, `%09` for a tab.
    ///   - name: What an error calls the list: the name of the variable or setting.
    /// - Returns: The entries in their order; none if the list is blank.
    /// - Throws: ``RedlockError`` with the code `invalidArgument`, whose message has the number of the entry, from 1, and
    ///   nothing of the list.
    public static func nodes(
        inList list: String, named name: String = "the list of nodes"
    ) throws(RedlockError) -> [String] {
        // By bytes: as characters, a carriage return and a newline are one, and a comma may have an accent.
        let parts = list.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        var nodes: [String] = []
        for part in parts {
            let lines = part.split { NodeList.lineSeparators.contains($0) }
            let entries = lines.map { NodeList.withoutSpaces($0) }.filter { !$0.isEmpty }
            guard !entries.isEmpty || parts.count == 1 else {
                throw RedlockError(
                    .invalidArgument,
                    "entry \(nodes.count + 1) of \(name) is empty; write one comma between two nodes, and none before "
                        + "the first or behind the last")
            }
            nodes += entries.map { String(Substring($0)) }
        }
        if let rest = NodeList.restOfPassword(in: nodes) {
            // The entry is not shown: it has a part of a password.
            throw RedlockError(
                .invalidArgument,
                "entry \(rest + 1) of \(name) seems to be the rest of a password; within a URL write %2C for a comma, "
                    + "%0A for a newline, %0D for a carriage return, %09 for a tab")
        }
        return nodes
    }
}

private enum NodeList {
    static let lineSeparators: [UInt8] = [0x09, 0x0a, 0x0d]

    static func withoutSpaces(_ line: Substring.UTF8View) -> Substring.UTF8View {
        let space = UInt8(ascii: " ")
        guard let first = line.firstIndex(where: { $0 != space }), let last = line.lastIndex(where: { $0 != space })
        else { return line[line.endIndex...] }
        return line[first...last]
    }

    /// The index of an entry that can only be the end of a URL which began in the one before: a separator in its password
    /// cut it.
    static func restOfPassword(in nodes: [String]) -> Int? {
        nodes.indices.dropFirst().first { index in
            !nodes[index].contains("://") && nodes[index].utf8.contains(UInt8(ascii: "@"))
        }
    }
}
