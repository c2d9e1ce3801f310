import RedlockCore
import Testing

@testable import Redlock

@Suite struct AnsweringTests {
    @Test func anAnswerThatComesFirstIsNotWaitedFor() async {
        let answering = Answering<Int>()
        answering.answer(1)
        #expect(await answering.wait { Issue.record("there is an answer") } == 1)
    }

    @Test func theFirstAnswerCounts() async {
        let answering = Answering<Int>()
        let answer = await answering.wait {
            answering.answer(1)
            answering.answer(2)
        }
        #expect(answer == 1)
        answering.answer(3)
    }

    @Test func anAnswerFromAnotherTaskIsWaitedFor() async {
        let answering = Answering<Int>()
        #expect(await answering.wait { Task { answering.answer(1) } } == 1)
    }
}

@Suite struct LockRequestTests {
    private static let refused = RedlockError(.heldByAnother, "held")

    private func request() throws -> LockRequest {
        LockRequest(of: "x", ttl: .seconds(1), for: try Redlock(nodes: ["unix:///nowhere"]))
    }

    @Test func itMayBeFinishedBeforeItIsWaitedFor() async throws {
        let request = try request()
        request.finish(.failure(Self.refused))
        await Caller.wait { request.suspend($0) }
        #expect(throws: Self.refused) { try request.takeOutcome().get() }
    }

    @Test func orWhileItIs() async throws {
        let request = try request()
        let finisher = Task { request.finish(.failure(Self.refused)) }
        await Caller.wait { request.suspend($0) }
        await finisher.value
        #expect(throws: Self.refused) { try request.takeOutcome().get() }
    }
}
