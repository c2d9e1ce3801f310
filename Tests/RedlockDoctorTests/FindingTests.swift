import RedlockCore
import RedlockRedis
import Testing

@testable import RedlockDoctor

@Suite("What is found of one node")
struct FindingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let code: Finding.Code
        let severity: Finding.Severity
        let costsVote: Bool
        /// What the words have to name.
        let words: String
        let answers: Answers

        var testDescription: String { "\(code), \(words)" }

        init(
            _ code: Finding.Code, _ severity: Finding.Severity, costsVote: Bool = false, _ words: String,
            _ change: (inout Answers) -> Void
        ) {
            self.code = code
            self.severity = severity
            self.costsVote = costsVote
            self.words = words
            answers = healthy(change)
        }
    }

    private static let noPermission = "NOPERM this user has no permissions to run the command"

    static let cases: [Case] = [
        Case(.replica, .problem, costsVote: true, "a replica") { $0.replication["role"] = "slave" },
        Case(.cluster, .problem, costsVote: true, "Cluster") { $0.server["redis_mode"] = "cluster" },
        Case(.sentinel, .problem, costsVote: true, "Sentinel") { $0.server["redis_mode"] = "sentinel" },
        // Valkey's name for it.
        Case(.cluster, .problem, costsVote: true, "Cluster") {
            $0.server["redis_mode"] = nil; $0.server["server_mode"] = "cluster"
        },
        Case(.sentinel, .problem, costsVote: true, "Sentinel") {
            $0.server["redis_mode"] = nil; $0.server["server_mode"] = "sentinel"
        },
        Case(.hasReplicas, .warning, "2 replicas") { $0.replication["connected_slaves"] = "2" },
        Case(.oldVersion, .warning, "Redis 5.0.14") { $0.server["redis_version"] = "5.0.14" },
        Case(.loading, .problem, costsVote: true, "loading") { $0.persistence["loading"] = "1" },
        Case(.cluster, .problem, costsVote: true, "Cluster") {
            $0.server["redis_mode"] = nil; $0.server["server_mode"] = "cluster"
        },
        Case(.sentinel, .problem, costsVote: true, "Sentinel") {
            $0.server["redis_mode"] = nil; $0.server["server_mode"] = "sentinel"
        },
        Case(.scriptRuns, .problem, costsVote: true, "a script blocks it (INFO: BUSY") {
            $0.refusals["+info"] = "BUSY Redis is busy running a script."
        },
        Case(.loading, .problem, costsVote: true, "not ready (INFO: LOADING") {
            $0.refusals["+info"] = "LOADING Redis is loading the dataset in memory"
        },
        Case(.notServing, .problem, costsVote: true, "does not serve now (INFO: no upstream host)") {
            $0.refusals["+info"] = "no upstream host"
        },
        Case(.infoDenied, .problem, costsVote: true, "it does not say what it is (INFO: ERR this proxy knows no INFO)")
        {
            $0.refusals["+info"] = "ERR this proxy knows no INFO"
        },
        Case(.malformed, .problem, costsVote: true, "run_id") { $0.server["run_id"] = nil },
        Case(.noLog, .warning, "no log") { $0.persistence["aof_enabled"] = "0" },
        Case(.fsyncNotAlways, .warning, "every second") { $0.settings["appendfsync"] = "everysec" },
        Case(.fsyncNotAlways, .warning, "appendfsync no") { $0.settings["appendfsync"] = "no" },
        Case(.fsyncPaused, .warning, "rewrites its log") { $0.settings["no-appendfsync-on-rewrite"] = "yes" },
        Case(.logFailed, .warning, "could not write") { $0.persistence["aof_last_write_status"] = "err" },
        Case(.fsyncUnknown, .warning, "does not tell") { $0.settings = [:] },
        Case(.evicts, .warning, "allkeys-lru, at 100 MB") {
            $0.memory["maxmemory_policy"] = "allkeys-lru"; $0.memory["maxmemory"] = "104857600"
        },
        Case(.wouldEvict, .note, "volatile-ttl") { $0.memory["maxmemory_policy"] = "volatile-ttl" },
        Case(.evicted, .warning, "7 keys") { $0.stats["evicted_keys"] = "7" },
        Case(.memoryNearlyFull, .warning, "95 % of its 1024 kB") { $0.memory["maxmemory"] = "1048576" },
        Case(.memoryNearlyFull, .warning, "more than 1000000 %") {
            $0.memory["maxmemory"] = "1"; $0.memory["used_memory"] = "9223372036854775807"
        },
        Case(.refusesWrites, .problem, costsVote: true, "OOM") {
            $0.memory["maxmemory"] = "1000000"
            $0.refusals["+set"] = "OOM command not allowed when used memory > 'maxmemory'."
        },
        Case(.refusesWrites, .problem, costsVote: true, "MISCONF") { $0.refusals["+set"] = "MISCONF disk" },
        Case(.slowForTimeout, .problem, costsVote: true, "takes 120 ms") {
            $0.roundTrips = [120_000, 90_000, 130_000]
        },
        Case(.slow, .warning, "130 ms at worst") { $0.roundTrips = [300, 130_000, 200] },
        Case(.slow, .warning, "takes 25 ms") { $0.roundTrips = [25_000] },
        Case(.busy, .warning, "90 % of the time, now") {
            $0.stats["instantaneous_eventloop_cycles_per_sec"] = "900"
            $0.stats["instantaneous_eventloop_duration_usec"] = "1000"
        },
        Case(.busy, .warning, "80 % of the time, on average") {
            $0.stats = [:]
            $0.cpu = ["used_cpu_user_main_thread": "60000.5", "used_cpu_sys_main_thread": "9120"]
        },
        Case(.clockOff, .warning, "5 s ahead of ours") { $0.clockOffset = 5_000_000 },
        Case(.clockOff, .warning, "60 s behind ours") { $0.clockOffset = -60_000_500 },
        Case(.rightsMissing, .problem, costsVote: true, "acquire (+set)") { $0.refusals["+set"] = noPermission },
        Case(.rightsMissing, .problem, costsVote: true, "extend (+pexpire)") {
            $0.refusals["+pexpire"] = "ERR unknown command 'PEXPIRE', with args beginning with: "
        },
        Case(.infoDenied, .problem, costsVote: true, "(+info)") { $0.refusals["+info"] = noPermission },
        Case(.rightsWanted, .warning, "(+config|get)") { $0.refusals["+config|get"] = noPermission },
        Case(.rightsWanted, .warning, "(+time)") { $0.refusals["+time"] = noPermission },
        Case(.rightsWanted, .warning, "tell of a release (+publish) and hear of a release (+subscribe)") {
            $0.refusals["+publish"] = noPermission
            $0.refusals["+subscribe"] = noPermission
        },
        Case(.passwordNotNeeded, .warning, "lets in") { $0.stranger = .integer(0) },
        Case(.passwordNotNeeded, .warning, "lets in") { $0.stranger = .error("OOM command not allowed") },
        Case(.noPassword, .note, "no password") { $0.hasPassword = false },
        Case(.otherNames, .warning, "which this check made up") {
            $0.refusals["+set"] = "NOPERM No permissions to access a key"
        },
    ]

    @Test("text of a server is escaped, and short")
    func escaped() {
        let report = healthy {
            $0.memory["maxmemory_policy"] = "\u{1b}[31mall\u{202e}keys"
            $0.settings["appendfsync"] = "\u{9b}some\u{2028}times"
            $0.server["run_id"] = "\u{2066}" + String(repeating: "x", count: 100)
        }.report()
        #expect(report.memory.policy == #"\u{1b}[31mall\u{202e}keys"#)
        #expect(report.persistence.fsync == #"\u{9b}some\u{2028}times"#)
        #expect(report.runID == #"\u{2066}"# + String(repeating: "x", count: 39) + "…")
    }

    @Test("Nothing is found of a healthy server")
    func healthyServer() {
        #expect(Answers().codes == [])
        #expect(Answers().report().loop == .init(share: 0.000_3, isRecent: true))
    }

    @Test("Each fault is found, alone, and told in words that help", arguments: cases)
    func fault(_ fault: Case) throws {
        let findings = fault.answers.findings()
        #expect(findings.map(\.code) == [fault.code], "\(findings)")
        let finding = try #require(findings.first)
        #expect(finding.severity == fault.severity)
        #expect(finding.costsVote == fault.costsVote)
        #expect(finding.seen.contains(fault.words), "\(finding.seen)")
        #expect(finding.nodes == ["a:1"])
        #expect(finding.risk.hasSuffix(".") && !finding.change.isEmpty)
    }

    @Test(
        "Strangers that are refused, or may not delete, or could not ask, are nothing to tell",
        arguments: [
            .error("NOAUTH Authentication required."), .error("NOPERM this user has no permissions to run 'del'"),
            .error("NOPERM No permissions to access a key"), .error("ERR unknown command 'DEL'"),
            .error("ERR max number of clients reached"), .error("DENIED Redis is running in protected mode"), nil,
        ] as [Reply?])
    func strangers(_ reply: Reply?) {
        #expect(healthy { $0.stranger = reply }.codes == [])
    }

    @Test("No password is nothing to tell of this machine, nor where this user may not delete either")
    func noPassword() {
        let open = healthy { $0.hasPassword = false }
        #expect(NodeFindings.access(open.report(), host: NodeReport.thisMachine) == [])
        #expect(NodeFindings.access(open.report(), host: "10.0.0.1").map(\.severity) == [.note])
        let harmless = healthy {
            $0.hasPassword = false
            $0.refusals["+del"] = Self.noPermission
        }
        #expect(harmless.codes == [.rightsMissing])
    }

    @Test("A clock that is off within the uncertainty is not called off")
    func uncertain() {
        let far = healthy {
            $0.clockOffset = 180_000; $0.roundTrips = [300_000]
        }
        var expected = Expectations()
        expected.nodeTimeout = .seconds(10)
        #expect(far.findings(expected).map(\.code) == [.clockUnclear])
        #expect(healthy { $0.clockOffset = 99_000 }.codes == [])
        #expect(healthy { $0.clockOffset = -101_000 }.codes == [.clockOff])
    }

    @Test("The reading with the least round trip is the one that counts, and half of that is its uncertainty")
    func clock() {
        var answers = healthy { $0.roundTrips = [9_000, 400, 5_000] }
        answers.clockOffset = 1_500
        let clock = answers.report().clock
        #expect(clock == .init(offset: .microseconds(1_500), uncertainty: .microseconds(200)))
        #expect(healthy { $0.refusals["+time"] = Self.noPermission }.report().clock == nil)
        let trip = answers.report().roundTrip
        #expect(trip == .init(median: .milliseconds(5), longest: .milliseconds(9)))
    }

    @Test("A server that forgets has no vote for the longest ttl after its start, and what is left is told")
    func quarantine() throws {
        func young(_ seconds: Int) -> Answers {
            healthy {
                $0.persistence["aof_enabled"] = "0"; $0.server["uptime_in_seconds"] = "\(seconds)"
            }
        }
        #expect(young(12).codes == [.noLog, .inQuarantine])
        let finding = try #require(young(12).findings().last)
        // A second for the grain of the uptime, and the drift.
        #expect(finding.costsVote && finding.risk.contains("another 50 s"), "\(finding.risk)")
        #expect(young(70).codes == [.noLog])
        var expected = Expectations()
        expected.longestTTL = .seconds(10)
        #expect(young(12).findings(expected).map(\.code) == [.noLog])
    }

    @Test("A server that keeps every write waits after its start like all others, unless clients trust it")
    func freshAndDurable() throws {
        let fresh = healthy { $0.server["uptime_in_seconds"] = "12" }
        let finding = try #require(fresh.findings().first)
        #expect(fresh.codes == [.inQuarantine])
        #expect(finding.risk.contains("another 50 s") && finding.change.contains("`--trust-durable`"))
        var expected = Expectations()
        expected.trustsDurableNodes = true
        #expect(fresh.findings(expected) == [])
    }

    @Test("A server whose log is being written for the first time may still forget")
    func firstLog() throws {
        var expected = Expectations()
        expected.trustsDurableNodes = true
        let rewriting = healthy {
            $0.server["uptime_in_seconds"] = "12"
            $0.persistence["aof_rewrite_in_progress"] = "1"
        }
        #expect(rewriting.findings(expected).map(\.code) == [.inQuarantine])
    }

    @Test("A server that was promoted has no vote with a client that meets it, however old it is")
    func promoted() throws {
        let promoted = healthy {
            $0.replication["master_replid"] = "b1"
            $0.replication["master_replid2"] = "a0"
        }
        #expect(promoted.codes == [.promoted])
        let finding = try #require(promoted.findings().first)
        #expect(finding.costsVote && finding.risk.contains("60 s"))
    }

    @Test("With the prefix of the locks, keys and channels that are out of reach are what they are")
    func otherNames() {
        var expected = Expectations()
        expected.knowsPrefix = true
        expected.key = "lock:x"
        let keys = healthy { $0.refusals["+get"] = "NOPERM No permissions to access a key" }.findings(expected)
        #expect(keys.map(\.code) == [.otherNames] && keys[0].costsVote)
        let channels = healthy { $0.refusals["+publish"] = "NOPERM No permissions to access a channel" }
            .findings(expected)
        #expect(channels.map(\.code) == [.otherNames] && !channels[0].costsVote)
        #expect(channels.first?.seen.contains("'redlock:lock:x'") == true)
    }

    @Test("Valkey is called so, and is not too old")
    func valkey() {
        let answers = healthy {
            $0.server["server_name"] = "valkey"
            $0.server["valkey_version"] = "8.0.1"
        }
        #expect(answers.codes == [])
        #expect(answers.report().version?.text == "Valkey 8.0.1")
    }

    @Test("Whatever answers, nothing breaks", arguments: [Reply.ok, .null, .text(""), .list([]), .error("ERR")])
    func nonsense(_ reply: Reply) {
        var answers = Answers().made
        answers.facts = answers.facts.map { _ in reply }
        answers.info = []
        answers.rights = [reply]
        answers.clock = []
        let report = NodeReport(node: "a:1", host: nil, outcome: .success(ServerReport(answers, Parameters(nodes: 1))))
        #expect(Diagnosis([report], Expectations()).findings.isEmpty == false)
    }

    @Test(
        "Why a node cannot be asked is told as what it is, and costs its vote",
        arguments: [
            (ProbeFailure.connection(.name("a: no")), Finding.Code.nameUnknown), (.lookUpTimedOut, .nameUnknown),
            (.connection(.refused), .refused), (.connection(.unreachable("no route")), .unreachable),
            (.connection(.connectTimedOut), .timedOut), (.connection(.answerTimedOut), .hung),
            (.connection(.ended("closed")), .connectionLost), (.connection(.notRedis("HTTP")), .notRedis),
            (.turnedAway("DENIED"), .turnedAway), (.signIn("WRONGPASS"), .signIn), (.database("ERR"), .database),
        ])
    func unreachable(_ failure: ProbeFailure, _ code: Finding.Code) {
        let finding = NodeFindings.unreachable(failure, Expectations())
        #expect(finding.code == code)
        #expect(finding.costsVote && finding.severity == .problem)
    }
}
