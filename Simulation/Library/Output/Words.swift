import RedlockCore

// Why something was or was not done, in words: for traces and pages. The library has its own, for its users.

extension Refusal.Reason {
    var words: String {
        switch self {
        case .heldByAnother: "others hold it"
        case .unavailable: "no quorum of nodes could be reached, or could vote"
        case .expired: "the answers took longer than the validity"
        case .cancelled: "it was cancelled"
        case .shutDown: "the client was shut down"
        }
    }
}

extension ExtensionRefusal.Reason {
    var words: String {
        switch self {
        case .notExtended: "no quorum of nodes extended the lease"
        case .expired: "the validity of the lease was over"
        case .lost: "the lease was lost"
        case .released: "the lease was released"
        }
    }
}

extension Risk {
    var words: String {
        switch self {
        case .noSpareNode: "no spare node is left"
        case .notExtended: "the lease could not be extended so far"
        case .clockGained: "its wall clock gained, and the lease is checked again"
        }
    }
}

extension Loss.Reason {
    var words: String {
        switch self {
        case .notExtended: "the end of validity is near, and the lease was not extended"
        case .expired: "the validity is over"
        case .taken: "a quorum of nodes does not have its key any more"
        case .clockJumped: "the clock of a node that it needs was set forward"
        case .keyGone: "a node that it needs lost its key early"
        case .clockGained: "its wall clock gained, and no quorum confirmed the lease"
        case .maximumHold: "it was held for as long as it may be"
        case .shutDown: "the client was shut down"
        }
    }
}

extension Quarantine.Reason {
    var words: String {
        switch self {
        case .started: "it was started a short while ago"
        case .replaced: "another server has its address"
        case .malformed(let what), .unknown(let what): "it does not say what it is (\(what))"
        case .clockJumped(let gain): "its clock gained \(Format.length(gain.count))"
        case .clockSetBack: "its clock was set back since its start"
        case .keyGone(let early): "a key was gone \(Format.length(early.count)) early"
        }
    }
}
