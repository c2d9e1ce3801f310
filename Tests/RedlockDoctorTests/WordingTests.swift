import RedlockRedis
import Testing

@testable import RedlockDoctor

@Suite("Words about one node and about several")
struct WordingTests {
    @Test("What differs stands in braces; what comes from a server is taken as it is")
    func alternatives() {
        let answer = "{a|b} | {"
        let words: Wording = "{it refuses|they refuse} a key (\(answer)) in {its|their} log"
        #expect(words.text(about: 1) == "it refuses a key ({a|b} | {) in its log")
        #expect(words.text(about: 2) == "they refuse a key ({a|b} | {) in their log")
        #expect(words.text(about: 0) == words.one)
        let plain: Wording = "plain"
        #expect(plain.one == "plain" && plain.several == "plain")
        let sum: Wording = "{it|they}: " + words
        #expect(sum.several == "they: they refuse a key ({a|b} | {) in their log")
    }

    @Test("Every finding of one node has words for several, without a word that is for one")
    func plural() {
        let failures: [ProbeFailure] = [
            .connection(.name("?")), .lookUpTimedOut, .connection(.refused), .connection(.unreachable("?")),
            .connection(.connectTimedOut), .connection(.answerTimedOut), .connection(.ended("?")),
            .connection(.notRedis("?")), .turnedAway("?"), .signIn("?"), .database("?"),
        ]
        let findings =
            failures.map { NodeFindings.unreachable($0, Expectations()) }
            + FindingTests.cases.flatMap { $0.answers.findings() }
        #expect(Set(findings.map(\.code)).count > 25)
        for finding in findings {
            let text = [finding.words.seen, finding.words.risk, finding.words.change].map(\.several).joined(
                separator: " ")
            // What is not about the nodes.
            let others = [
                "leave it to the system", "it would grant locks that it has", "the lock nodes of its own",
                "it cannot be seen", "It cannot be seen", "(it is loading its data)",
            ]
            let words = others.reduce(text) { $0.replacing($1, with: "") }
                .split { !$0.isLetter }.map { $0.lowercased() }
            #expect(!words.contains("it") && !words.contains("its"), "\(text)")
            #expect(!text.contains("{") && !text.contains("}"))
        }
    }
}
