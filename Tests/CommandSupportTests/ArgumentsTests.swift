import CommandSupport
import Testing

@Suite("Arguments")
struct ArgumentsTests {
    private static let options = [
        Option("seeds", .text("N"), "how many"), Option("seed", .text("N"), "which"),
        Option("profile", .choice("PROFILE", ["calm", "wild"]), "how it is"), Option("wait", .text("TIME"), "how long"),
        Option("json", "as JSON"), Option("output", short: "o", .output("FILE"), "where to"), Option.help,
        Option("verbose", short: "v", "all of it"), Option("prefix", short: "p", .bytes("TEXT"), "before names"),
        Option.missing("shared", short: "s", "write --profile calm"),
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

    @Test("Operands and values of bytes are kept byte for byte; all other values are UTF-8")
    func bytes() throws {
        #expect(try Arguments([[0xff, 0xfe]], options: []).operands == [[0xff, 0xfe]])
        let invalid: [UInt8] = [0xff, 0x3d, 0xc3]
        for words in [
            [[UInt8]("--prefix".utf8), invalid], [[UInt8]("--prefix=".utf8) + invalid], [[UInt8]("-p".utf8) + invalid],
            [[UInt8]("-vp".utf8), invalid],
        ] {
            #expect(try Arguments(words[...], options: Self.options).bytes("prefix") == invalid)
        }
        let error = #expect(throws: UsageError.self) {
            try Arguments([[UInt8]("--wait=".utf8) + invalid], options: Self.options)
        }
        #expect(error?.description == "--wait is not UTF-8 text")
    }

    @Test(
        "Letters can be grouped, and the value of the last one attached",
        arguments: ["-vo x", "-vox", "-v -o=x", "-o x -v", "-ox -v", "-vo=x"])
    func letters(_ line: String) throws {
        let arguments = try Self.arguments(line + " -- y")
        #expect(arguments.value("output") == "x")
        #expect(arguments.has("verbose") && !arguments.has("help"))
        #expect(try arguments.words(atMost: 9) == ["y"])
    }

    @Test(
        "What is wrong is said, with what would be right",
        arguments: [
            ("--nonsense", "no option --nonsense"), ("-x", "no option -x"), ("--se 1", "--seeds or --seed"),
            ("--seeds", "--seeds needs a value: --seeds N"), ("--seeds --", "needs a value"),
            ("--json=yes", "--json takes no value"), ("--profile stormy", "it must be calm or wild"),
            ("--profile=", "it must be calm or wild"), ("-vx", "no option -x (in -vx)"),
            ("-vé", "no option -é (in -vé)"),
            ("-v=1", "--verbose takes no value"), ("-vo", "-o needs a value: -o FILE"),
            ("-verbose", "no option -verbose; write --verbose"), ("-seed=1", "no option -seed; write --seed"),
            ("-s", "no option -s; write --profile calm"), ("-vs", "no option -s; write --profile calm (in -vs)"),
            ("--shared", "no option --shared; write --profile calm"), ("--sha", "no option --sha"),
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
            ("2h", .seconds(7_200)), ("30d", .seconds(30 * 86_400)),
            ("0s", .zero), ("1000000000s", .seconds(1_000_000_000)),
        ])
    func times(_ text: String, _ time: Duration) throws {
        #expect(try Self.arguments("--wait \(text)").time("wait") == time)
    }

    @Test("What is no time is refused", arguments: ["10", "s", "-1s", "1e9s", "nans", "1.5.5s", "1w", "1000000001s"])
    func badTimes(_ text: String) throws {
        let arguments = try Self.arguments("--wait \(text)")
        #expect(throws: UsageError.self) { try arguments.time("wait") }
    }

    @Test(
        "A number without a unit is in the unit that the option names, with a fraction too",
        arguments: [
            ("5", Duration.seconds(5)), ("0", .zero), ("0.5", .milliseconds(500)), (".25", .milliseconds(250)),
            ("5.", .seconds(5)), ("500ms", .milliseconds(500)), ("2m", .seconds(120)),
        ])
    func bareNumbers(_ text: String, _ time: Duration) throws {
        let arguments = try Self.arguments("--wait \(text)")
        #expect(try arguments.time("wait", withoutUnit: .seconds) == time)
    }

    @Test(
        "What is no number is refused where a unit can be left out, too",
        arguments: ["-1", "+1", "1e3", "", ".", "s", "1 s", "0x1", "½", "inf", "1000000001"])
    func badBareNumbers(_ text: String) throws {
        let arguments = try Arguments([[UInt8]("--wait=\(text)".utf8)], options: Self.options)
        let error = #expect(throws: UsageError.self) { try arguments.time("wait", withoutUnit: .seconds) }
        #expect(error?.description.contains("write seconds, or a number and a unit") == true)
    }

    @Test("A time out of its range is told the range, as a person would write it")
    func timeRange() throws {
        let error = #expect(throws: UsageError.self) {
            try Self.arguments("--wait 99h").time("wait", .milliseconds(10) ... .seconds(300))
        }
        #expect(error?.description == "--wait is 99h; it must be from 10ms to 5m")
    }
}
