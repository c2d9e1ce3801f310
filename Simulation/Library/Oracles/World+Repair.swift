import RedlockCore

// Repairs: only for a lease that its holder believes in and a quorum confirmed last, with keys that end when its others
// do.

extension World {
    /// To be called with every command of an attempt that is no acquire, when it is sent.
    mutating func judgeRepair(_ command: Command, of index: Int) {
        let attempt = attempts[index]
        switch command.operation {
        case .acquire, .contend, .acquireFenced, .raise, .release, .announce, .readClock, .look:
            break
        case .extend(let milliseconds):
            attempts[index].keysUntil = max(attempt.keysUntil, clientTime(attempt.client) + .milliseconds(milliseconds))
        case .repair(let milliseconds):
            let hold = workers[attempt.worker].hold
            if workers[attempt.worker].isFailing {
                violate(.repair, "\(name(Int32(index))) sent a repair though its last extension had failed")
            }
            if workers[attempt.worker].attempt != Int32(index) || hold < 0 || !holds[hold].isOpen {
                violate(.repair, "\(name(Int32(index))) sent a repair for a lease that it does not hold")
            } else if clientTime(attempt.client) + .milliseconds(milliseconds) > attempt.keysUntil {
                violate(.repair, "\(name(Int32(index))) sent a repair whose key would outlive the others of its lease")
            }
        }
    }
}
