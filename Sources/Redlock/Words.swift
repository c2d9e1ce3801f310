internal import RedlockCore

// Why something was or was not done, in words for errors and events.

extension Nanoseconds {
    /// As a length that is known to be no shorter: `310 ms`, `3.1 s`.
    fileprivate var wordsRoundedDown: String {
        let milliseconds = count / 1_000_000
        guard milliseconds >= 1_000 else { return "\(milliseconds) ms" }
        return "\(milliseconds / 1_000).\(milliseconds % 1_000 / 100) s"
    }

    /// As what the client's wall clock gained.
    fileprivate var clockGainWords: String {
        "the wall clock of this machine gained \(wordsRoundedDown) on its boot clock: it was set, or the machine was stopped"
    }

    /// As the length of a pause.
    fileprivate var pauseWords: String {
        "this process did not run for at least \(wordsRoundedDown), or its event loop was blocked"
    }
}

extension Refusal {
    var words: String {
        let text = standing
        return pause.map { "\(text); meanwhile \($0.pauseWords)" } ?? text
    }

    private var standing: String {
        switch (reason, ahead, changedHands) {
        case (.heldByAnother, .holder, false):
            "this process holds it itself: this task or another of the process acquired it before"
        case (.heldByAnother, .holder, true):
            "this process holds it itself: another task of the process acquired it while this one waited"
        case (.heldByAnother, .contender, false):
            "another holds it, and other tasks of this process are ahead in the queue for it"
        case (.heldByAnother, .contender, true):
            "another holds it, and other tasks of this process are ahead in the queue for it; this process held it in "
                + "between"
        case (.heldByAnother, .lostHolder, _):
            "another holds it, or this process itself does: a lease that it lost is not released yet"
        case (.heldByAnother, nil, true):
            "another holds it; this process held it in between"
        case (_, .holder, _):
            "\(reason.words); this process holds the lock itself"
        case (_, .contender, _):
            "\(reason.words); other tasks of this process are ahead in the queue for the lock"
        case (_, _, _):
            reason.words
        }
    }

    /// More about a vote that was not this request's own.
    func detail(of vote: Vote) -> String {
        switch (ahead, vote) {
        case (.holder, .heldByAnother), (.holder, .notAsked): "this process holds the lock itself"
        case (.contender, .notAsked): "other tasks of this process are ahead"
        case (_, _): ""
        }
    }
}

extension Refusal.Reason {
    var code: RedlockError.Code {
        switch self {
        case .heldByAnother: .heldByAnother
        case .unavailable: .unavailable
        case .expired: .expired
        case .cancelled: .cancelled
        case .shutDown: .shutDown
        }
    }

    var words: String {
        switch self {
        case .heldByAnother: "another holds it"
        case .unavailable: "no quorum of nodes could be reached, or could vote"
        case .expired: "the validity was over before a quorum of nodes had granted"
        case .cancelled: "the task was cancelled"
        case .shutDown: "the coordinator is shut down"
        }
    }
}

extension ExtensionRefusal {
    var words: String { pause.map { "\(reason.words); \($0.pauseWords)" } ?? reason.words }
}

extension ExtensionRefusal.Reason {
    var code: RedlockError.Code {
        switch self {
        case .notExtended: .notExtended
        case .expired: .expired
        case .lost: .lost
        case .released: .released
        }
    }

    var words: String {
        switch self {
        case .notExtended: "no quorum of nodes extended the lease; it stays valid until the end it had"
        case .expired: "the validity of the lease is over"
        case .lost: "the lease is lost"
        case .released: "the lease was released"
        }
    }
}

extension RiskReport {
    var words: String {
        let text = clockGain.map { "\(risk.words): \($0.clockGainWords)" } ?? risk.words
        return pause.map { "\(text): \($0.pauseWords)" } ?? text
    }
}

extension Risk {
    var words: String {
        switch self {
        case .noSpareNode: "no spare node is left: if another fails, the lease cannot be extended"
        case .notExtended: "the lease could not be extended so far"
        case .clockGained: "the lease is checked again, and may be over"
        }
    }
}

extension Loss {
    var words: String {
        let text = clockGain.map { "\(reason.words): \($0.clockGainWords)" } ?? reason.words
        return pause.map { "\(text): \($0.pauseWords)" } ?? text
    }
}

extension Loss.Reason {
    var words: String {
        switch self {
        case .notExtended: "the end of validity is near and the lease was not extended"
        case .expired: "the validity of the lease is over"
        case .taken: "a quorum of nodes does not have the lock any more"
        case .clockJumped:
            "a node's clock was set forward, and without it no quorum guards the lock (Configuration.clockGuard)"
        case .keyGone:
            "a node lost the lock before its time, and without that node no quorum guards it (Configuration.clockGuard)"
        case .clockGained: "the lease may be over, and no quorum of nodes confirmed it"
        case .maximumHold: "the lease was held for as long as it may be (Configuration.maximumHold)"
        case .shutDown: "the coordinator was shut down"
        }
    }
}
