internal import LocalCluster

/// A redis-server that can be killed, started and stopped where it stands: a process of ours, or a container.
///
/// One thread at a time uses it, but for what only looks.
protocol LiveServer: AnyObject, Sendable {
    /// On the loopback interface.
    var port: UInt16 { get }
    /// It ended, and nobody here wanted that.
    var hasEnded: Bool { get }
    /// Of a process of ours.
    var usage: ProcessUsage? { get }

    /// Returns when it answers.
    func launch() throws
    func kill()
    func pause()
    func resume()
    @discardableResult func command(_ words: String...) -> BlockingClient.Answer?
}

extension LocalNode: LiveServer {
    var hasEnded: Bool { processID == nil }
    var usage: ProcessUsage? { processID.flatMap(ProcessUsage.init) }

    func launch() throws { try start(port: nil) }
}
