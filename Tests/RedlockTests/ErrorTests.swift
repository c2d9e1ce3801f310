import RedlockCore
import Testing

@testable import Redlock

@Suite struct ErrorTests {
    @Test func aDescriptionHasTheCodeTheResourceTheMessageAndTheVotes() {
        let error = RedlockError(
            .heldByAnother, "others hold it", resource: "invoice:42",
            votes: [
                NodeVote(.granted, node: "a:1", name: { _ in "" }),
                NodeVote(.failed(.errorReply("OOM no")), node: "b:2", name: { _ in "" }),
            ])
        #expect(
            error.description
                == "heldByAnother 'invoice:42': others hold it [a:1 granted; b:2 errorReply (OOM no)]")
        #expect(RedlockError(.shutDown, "it is over").description == "shutDown: it is over")
    }

    @Test func everyVoteHasItsKind() {
        let table: [(Vote, NodeVote.Kind, String)] = [
            (.pending, .pending, ""), (.granted, .granted, ""), (.heldByAnother, .heldByAnother, ""),
            (.missing, .missing, ""), (.failed(.timedOut), .timedOut, ""),
            (.failed(.stalled), .timedOut, "it has not answered earlier commands either"),
            (.failed(.unreachable("refused")), .unreachable, "refused"),
            (.failed(.connectionLost("reset")), .unreachable, "reset"),
            (.failed(.errorReply("OOM")), .errorReply, "OOM"),
            (
                .failed(.errorReply("READONLY You can't write")), .errorReply,
                "it is a replica; writes go to its primary (READONLY You can't write)"
            ),
            (
                .failed(.errorReply("MOVED 1 a:1")), .errorReply,
                "it is a node of a cluster; a lock needs servers of their own (MOVED 1 a:1)"
            ),
            (.failed(.sameServer(as: 2)), .sameServer, "the same server as n:2"),
            (.failed(.protocolViolation("a null")), .errorReply, "no answer to the command: a null"),
            (.failed(.overloaded), .overloaded, ""),
        ]
        for (vote, kind, detail) in table {
            let shown = NodeVote(vote, node: "h:1", name: { "n:\($0)" })
            #expect(shown.node == "h:1")
            #expect(shown.kind == kind)
            #expect(shown.detail == detail)
        }
    }

    @Test func aPauseIsRoundedDown() {
        for (pause, words) in [(3_199, "3.1 s"), (1_000, "1.0 s"), (999, "999 ms"), (50, "50 ms")] as [(Int64, String)]
        {
            var refusal = ExtensionRefusal(reason: .expired, votes: [])
            refusal.pause = .milliseconds(pause) + Nanoseconds(999_999)
            #expect(
                refusal.words
                    == "the validity of the lease is over; this process did not run for at least \(words), or its event "
                    + "loop was blocked")
        }
    }

    @Test func aRefusalSaysWhatOfItsProcessIsAhead() {
        let table: [(Refusal.Reason, Refusal.Ahead?, changed: Bool, String)] = [
            (.heldByAnother, nil, false, "another holds it"),
            (.heldByAnother, nil, true, "another holds it; this process held it in between"),
            (
                .heldByAnother, .holder, false,
                "this process holds it itself: this task or another of the process acquired it before"
            ),
            (
                .heldByAnother, .holder, true,
                "this process holds it itself: another task of the process acquired it while this one waited"
            ),
            (
                .heldByAnother, .contender, false,
                "another holds it, and other tasks of this process are ahead in the queue for it"
            ),
            (
                .heldByAnother, .contender, true,
                "another holds it, and other tasks of this process are ahead in the queue for it; this process held it in "
                    + "between"
            ),
            (
                .heldByAnother, .lostHolder, false,
                "another holds it, or this process itself does: a lease that it lost is not released yet"
            ),
            (.cancelled, .holder, false, "the task was cancelled; this process holds the lock itself"),
            (
                .unavailable, .contender, false,
                "no quorum of nodes could be reached, or could vote; other tasks of this process are ahead in the queue "
                    + "for the lock"
            ),
        ]
        for (reason, ahead, changed, words) in table {
            var refusal = Refusal(reason: reason, attempts: 0, votes: [])
            refusal.ahead = ahead
            refusal.changedHands = changed
            #expect(refusal.words == words)
        }
    }

    /// A task may be cancelled when it has its answer already, and the coordinator has ended.
    @Test func aCancellationAfterTheEndKeepsNothing() async throws {
        weak var gone: Driver?
        do {
            let redlock = try Redlock(nodes: ["unix:///nowhere"])
            gone = redlock.driver
            await redlock.shutdown()
            let request = LockRequest(of: "x", ttl: .seconds(1), for: redlock)
            redlock.driver.post(.cancel(request), here: false)
        }
        // The loop's thread lets it go when it has ended.
        for _ in 0..<1_000 where gone != nil { try await Task.sleep(for: .milliseconds(5)) }
        #expect(gone == nil)
    }

    /// Everything that can be wrong with nodes, each with a password in its URL.
    @Test(arguments: [
        ["redis://me:hunter2@host:x"], ["redis://me:hunter2@"], ["http://me:hunter2@host"],
        ["me:hunter2@redis://host"], ["rediss://me:hunter2@host"], ["redis://hunter2@host"],
        ["redis://me:hunter2@h", "redis://you:hunter2@h/1"], ["unix://me:hunter2@s"],
        [String](repeating: "redis://me:hunter2@host", count: 16),
    ])
    func anErrorAboutNodesNeverShowsAPassword(nodes: [String]) throws {
        let error = try #require(throws: RedlockError.self) { try Redlock(nodes: nodes) }
        #expect(error.code == .invalidArgument)
        #expect(!error.description.contains("hunter2"))
        #expect(!String(reflecting: error).contains("hunter2"))
        var dumped = ""
        dump(error, to: &dumped)
        #expect(!dumped.contains("hunter2"))
    }

    @Test func anErrorOfALockNeverShowsAPassword() async throws {
        let redlock = try Redlock(nodes: ["unix://me:hunter2@/nonexistent/a"])
        let error = await #expect(throws: RedlockError.self) {
            _ = try await redlock.acquire("resource", ttl: .seconds(1))
        }
        let caught = try #require(error)
        #expect(!String(reflecting: caught).contains("hunter2"))
        #expect(caught.description.contains("/nonexistent/a"))
        await redlock.shutdown()
    }
}
