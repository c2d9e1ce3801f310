import CommandSupport
import Testing

@Suite("Arguments")
struct ArgumentsTests {
    private static let options = [
        Option("seeds", .text("N"), "how many"), Option("seed", .text("N"), "which"),
        Option("profile", .choice("PROFILE", ["calm", "wild"]), "how it is"), Option("wait", .text("TIME"), "how long"),
        Option("json", "as JSON"), Option("output", short: "o", .output("FILE"), "where to"), Option.help,
    ]

    private static func arguments(_ line: String, _ order: Arguments.Order = .mixed) throws(UsageError) -> Arguments {
        let words = line.split(separator: " ").map { [UInt8]($0.utf8) }
        return try Arguments(words[...], options: options, order: order)
    }

    @Test(
        "Options have values after a space or an equals sign, a letter, or the beginning of a name",
        arguments: ["--profile calm", "--profile=calm", "--prof calm", "--profile wild --profile calm"])
    func spellings(_ line: String) throws {
        let arguments = try Self.arguments(line + " -o x --json")
        #expect(arguments.value("profile") == "calm")
        #expect(arguments.value("output") == "x")
        #expect(arguments.has("json") && !arguments.has("help"))
    }

    @Test("A name that is the beginning of another is itself")
    func exactName() throws {
        #expect(try Self.arguments("--seed 1").value("seed") == "1")
    }

    @Test("Options may follow operands, unless the first operand ends them; a -- always does")
    func order() throws {
        #expect(try Self.arguments("a --json b -- --help").words(atMost: 9) == ["a", "b", "--help"])
        let command = try Self.arguments("--json a -- b --help", .optionsFirst)
        #expect(try command.words(atMost: 9) == ["a", "--", "b", "--help"])
        #expect(command.has("json") && !command.has("help"))
    }

    @Test("An operand need not be text")
    func bytes() throws {
        #expect(try Arguments([[0xff, 0xfe]], options: []).operands == [[0xff, 0xfe]])
    }

    @Test(
        "What is wrong is said, with what would be right",
        arguments: [
            ("--nonsense", "no option --nonsense"), ("-x", "no option -x"), ("--se 1", "--seeds or --seed"),
            ("--seeds", "--seeds needs a value: --seeds N"), ("--seeds --", "needs a value"),
            ("--json=yes", "--json takes no value"), ("--profile stormy", "it must be calm or wild"),
            ("--profile=", "it must be calm or wild"),
        ])
    func mistakes(_ line: String, _ words: String) {
        let error = #expect(throws: UsageError.self) { try Self.arguments(line) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test("Numbers have a range")
    func numbers() throws {
        #expect(try Self.arguments("--seeds 7").number("seeds", 1...9, otherwise: 3) == 7)
        #expect(try Self.arguments("").number("seeds", 1...9, otherwise: 3) == 3)
        for text in ["0", "10", "x", "-1", "1.5", "9999999999999999999"] {
            let arguments = try Self.arguments("--seeds \(text)")
            #expect(throws: UsageError.self) { try arguments.number("seeds", 1...9, otherwise: 3) }
        }
    }

    @Test(
        "Times have a unit",
        arguments: [
            ("500ms", Duration.milliseconds(500)), ("10s", .seconds(10)), ("1.5m", .seconds(90)),
            ("2h", .seconds(7_200)),
            ("0s", .zero), ("1000000000s", .seconds(1_000_000_000)),
        ])
    func times(_ text: String, _ time: Duration) throws {
        #expect(try Self.arguments("--wait \(text)").time("wait") == time)
    }

    @Test("What is no time is refused", arguments: ["10", "s", "-1s", "1e9s", "nans", "1.5.5s", "1d", "1000000001s"])
    func badTimes(_ text: String) throws {
        let arguments = try Self.arguments("--wait \(text)")
        #expect(throws: UsageError.self) { try arguments.time("wait") }
    }

    @Test("A time out of its range is told the range, as a person would write it")
    func timeRange() throws {
        let error = #expect(throws: UsageError.self) {
            try Self.arguments("--wait 99h").time("wait", .milliseconds(10) ... .seconds(300))
        }
        #expect(error?.description == "--wait is 99h; it must be from 10ms to 5m")
    }
}
