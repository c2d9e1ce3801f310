import ChildProcesses
import Glibc
import Testing

/// The scripts of `redlock completion`, each run by the shell that it is for.
@Suite("Completion")
struct CompletionTests {
    /// What bash offers for a line, which it has taken apart already: the last word is the one to complete.
    private func bash(_ words: [String]) async throws -> [String] {
        let script = """
            source <("$1" completion bash) || exit 1
            shift
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            "_${1//-/_}"
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let program = words[0] == "redlock" ? Programs.redlock : Programs.simulator
        let outcome = try await Programs.run(["bash", "-c", script, "bash", program] + words)
        #expect(outcome.status == .exited(0))
        return outcome.lines
    }

    @Test("bash completes subcommands, options, and what they may be")
    func bash() async throws {
        #expect(try await bash(["redlock", "ru"]) == ["run"])
        #expect(try await bash(["redlock", "run", "--node"]) == ["--node", "--node-timeout"])
        #expect(try await bash(["redlock", "run", "--ttl", ""]) == [""])
        #expect(try await bash(["redlock", "completion", "z"]) == ["zsh"])
        #expect(try await bash(["redlock", "help", "r"]) == ["run"])
        #expect(try await bash(["redlock-sim", "run", "--profile", "t"]) == ["tolerated"])
        // What bash makes of --profile=t.
        #expect(try await bash(["redlock-sim", "run", "--profile", "=", "t"]) == ["tolerated"])
        #expect(try await bash(["redlock-sim", "scenario", "happy"]) == ["happy-path"])
    }

    @Test("bash completes files where files are meant, and a command behind the --")
    func bashFiles() async throws {
        #expect(try await bash(["redlock-sim", "run", "--json", "/etc/passw"]).contains("/etc/passwd"))
        #expect(try await bash(["redlock-sim", "replay", "/etc/passw"]).contains("/etc/passwd"))
        #expect(try await bash(["redlock-sim", "sweep", "--save", "/us"]) == ["/usr"])
        #expect(try await bash(["redlock", "run", "r", "--", "printen"]).contains("printenv"))
        #expect(try await bash(["redlock", "run", "r", "--", "cat", "/etc/passw"]).contains("/etc/passwd"))
    }

    private static let hasZsh = unsafe access("/usr/bin/zsh", X_OK) == 0 || access("/bin/zsh", X_OK) == 0

    /// Presses Tab behind a line in a zsh on a terminal of its own, and waits until it shows the words.
    @Test(
        "zsh completes subcommands, options with their meaning, and the command behind the --",
        .enabled(if: hasZsh, "zsh is not installed"), .timeLimit(.minutes(2)),
        arguments: [
            ("redlock ", "runs a command while it holds the lock"), ("redlock run --n", "how long a node may take"),
            ("redlock completion ", "bash*fish*zsh"), ("redlock run -w", "seconds if there is no unit"),
            ("redlock run -v -", "exit code if another holds"), ("redlock run r -- printe", "printenv"),
            ("redlock-sim run --profile ", "amnesia*tolerated"), ("redlock-sim scenario gc-", "gc-pause-after-check"),
        ])
    func zsh(_ line: String, _ shown: String) async throws {
        let script = """
            zmodload zsh/zpty
            zpty shell zsh -f -i
            zpty -w shell "PS1=; autoload -Uz compinit; compinit -u -D; bindkey '^I' list-choices; LISTMAX=1000"
            zpty -w shell "source <($1 completion zsh); source <($2 completion zsh); print READY-$((1 + 1))"
            zpty -r shell output '*READY-2*'
            zpty -n -w shell "$3"$'\\t'
            zpty -r shell output "*$4*"
            zpty -d shell
            """
        // A list that does not come would be waited for for ever.
        let outcome = try await Programs.run([
            "timeout", "60", "zsh", "-f", "-c", script, "zsh", Programs.redlock, Programs.simulator, line, shown,
        ])
        #expect(outcome.status == .exited(0), "\(outcome.lines)")
    }

    private static let hasFish = unsafe access("/usr/bin/fish", X_OK) == 0 || access("/bin/fish", X_OK) == 0

    /// What fish offers for a line, each with its meaning behind a tab.
    private func fish(_ line: String) async throws -> [String] {
        let script = """
            $argv[1] completion fish | source
            $argv[2] completion fish | source
            complete -C $argv[3]
            """
        let outcome = try await Programs.run([
            "env", "HOME=/nonexistent", "fish", "--no-config", "-c", script, Programs.redlock, Programs.simulator, line,
        ])
        #expect(outcome.status == .exited(0), "\(outcome.lines)")
        return outcome.lines
    }

    @Test(
        "fish completes subcommands, options with their meaning, and what they may be",
        .enabled(if: hasFish, "fish is not installed"))
    func fish() async throws {
        #expect(try await fish("redlock ru") == ["run\truns a command while it holds the lock on RESOURCE"])
        #expect(try await fish("redlock run --nonb") == ["--nonblock\tdo not wait, as --wait 0s"])
        #expect(try await fish("redlock run -").contains { $0.hasPrefix("-w\t") })
        #expect(try await fish("redlock completion ") == ["bash", "fish", "zsh"])
        #expect(try await fish("redlock help ru") == ["run"])
        #expect(try await fish("redlock help --js") == [])
        // Fish has quotes of its own.
        #expect(try await fish("redlock doctor --node-").contains("--node-timeout\tthat of the lock's clients (100ms)"))
        let profiles = try await fish("redlock-sim run --profile to")
        #expect(profiles.count == 1 && profiles[0].hasPrefix("tolerated"))
        #expect(try await fish("redlock-sim run --profile=to").first?.hasPrefix("--profile=tolerated") == true)
        #expect(try await fish("redlock-sim scenario happy") == ["happy-path"])
    }

    @Test(
        "fish completes files where files are meant, and the command behind the --",
        .enabled(if: hasFish, "fish is not installed"))
    func fishFiles() async throws {
        #expect(try await fish("redlock-sim run --json /etc/passw").contains("/etc/passwd"))
        #expect(try await fish("redlock-sim replay /etc/passw").contains("/etc/passwd"))
        #expect(try await fish("redlock-sim sweep --save /us").contains { $0.hasPrefix("/usr/") })
        #expect(try await fish("redlock run --node /etc/passw") == [])
        #expect(try await fish("redlock run r -- printen").contains { $0.hasPrefix("printenv") })
        #expect(try await fish("redlock run r -- cat /etc/passw").contains("/etc/passwd"))
        #expect(try await fish("redlock run r -- redlock run --fenc").first?.hasPrefix("--fencing") == true)
    }
}
