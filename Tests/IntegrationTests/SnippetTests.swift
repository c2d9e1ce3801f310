import Testing

/// Code that is shown is code that compiles: each block of Swift in the documentation is found, but for its
/// indentation, in a file of Tests/IntegrationTests/Recipes.
@Suite("Code in the documentation")
struct SnippetTests {
    /// What shows code: pages, and the comments of the public API.
    private static let pages =
        ["README.md", "CONTRIBUTING.md"] + TextFile.names(in: "docs")
        + TextFile.names(in: "Sources/Redlock/Redlock.docc")
        + TextFile.names(in: "Sources/Redlock").filter { $0.hasSuffix(".swift") }

    @Test("compiles", arguments: pages)
    func compiles(_ page: String) throws {
        let sources = TextFile.names(in: "Tests/IntegrationTests/Recipes").map { TextFile.lines(of: $0) }
        for block in Self.blocks(of: page) {
            let isThere = sources.contains { Self.contains($0, block) }
            #expect(
                isThere,
                "no file of Tests/IntegrationTests/Recipes has this from \(page):\n\(block.joined(separator: "\n"))")
        }
    }

    @Test("is found at all")
    func isNotVacuous() {
        #expect(Self.blocks(of: "README.md").count >= 4)
        #expect(Self.blocks(of: "docs/recipes.md").count >= 4)
        #expect(Self.blocks(of: "Sources/Redlock/Redlock.swift").count >= 1)
        #expect(Self.blocks(of: "Sources/Redlock/Redlock.docc/WhatToRelyOn.md").count >= 2)
    }

    @Test("is compared line by line, whatever its indentation")
    func comparison() {
        let source = ["func f() {", "    a()", "    if b {", "        c()", "    }", "}"]
        #expect(Self.contains(source, ["a()", "if b {", "    c()", "}"]))
        #expect(Self.contains(source, source))
        #expect(!Self.contains(source, ["a()", "if b {", "c()", "}"]))
        #expect(!Self.contains(source, ["a()", "c()"]))
    }

    // MARK: - Finding

    /// The fenced blocks of Swift, without imports. What stands below a line with "not compiled" is left out:
    /// manifests, and code that needs other packages.
    private static func blocks(of page: String) -> [[String]] {
        let isSource = page.hasSuffix(".swift")
        var blocks: [[String]] = []
        var block: [String]?
        var previous = ""
        for line in TextFile.lines(of: page) {
            let comment = String(line.drop { $0 == " " })
            guard !isSource || comment.hasPrefix("///") else { continue }
            let text = isSource ? String(comment.dropFirst(comment.hasPrefix("/// ") ? 4 : 3)) : line
            if let found = block {
                if text == "```" {
                    blocks.append(found)
                    block = nil
                } else if !text.hasPrefix("import "), !found.isEmpty || !text.isEmpty {
                    block = found + [text]
                }
            } else if text == "```swift", !previous.contains("not compiled") {
                block = []
            }
            previous = text.isEmpty ? previous : text
        }
        return blocks
    }

    private static func contains(_ source: [String], _ block: [String]) -> Bool {
        guard let first = block.first else { return false }
        return source.indices.contains { start in
            guard source[start].hasSuffix(first), start + block.count <= source.count else { return false }
            let margin = source[start].dropLast(first.count)
            guard margin.allSatisfy({ $0 == " " }) else { return false }
            return zip(source[start...], block).allSatisfy { $0 == ($1.isEmpty ? "" : margin + $1) }
        }
    }
}
