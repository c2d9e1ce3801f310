internal import Glibc
internal import PosixLock
internal import RedlockCore

/// Tasks that run on the thread of the loop, so that no thread is woken for them: neither to tell them of an answer nor
/// to send what they ask for next.
///
/// In each round of the loop's thread those run that were there when it began: however often a task comes back, sockets
/// and timer are served in between. When the loop is stopped, tasks go to the pool of threads that has all others.
extension EventLoop: TaskExecutor {
    struct Jobs {
        var waiting: [UnownedJob] = []
        /// The loop's. It looks here by itself, and need not be woken.
        var thread: pthread_t?
        var isOver = false
    }

    private enum Way {
        case here
        case byWaking
        case elsewhere
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let way: Way = jobs.withLock { jobs in
            guard !jobs.isOver else { return .elsewhere }
            jobs.waiting.append(job)
            return jobs.thread == pthread_self() ? .here : .byWaking
        }
        switch way {
        case .here: break
        case .byWaking: askThread()
        case .elsewhere: globalConcurrentExecutor.enqueue(job)
        }
    }

    // MARK: - On the loop's thread

    func beginJobs() {
        jobs.withLock { $0.thread = pthread_self() }
    }

    var hasJobs: Bool { jobs.withLock { !$0.waiting.isEmpty } }

    func runJobs() {
        jobs.withLock { swap(&$0.waiting, &jobsOfRound) }
        for job in jobsOfRound { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
        jobsOfRound.empty()
    }

    func endJobs() {
        let left = jobs.withLock { jobs in
            jobs.isOver = true
            defer { jobs.waiting = [] }
            return jobs.waiting
        }
        for job in left { globalConcurrentExecutor.enqueue(job) }
    }
}
