import Foundation
import Redlock

/// The coordinator of this service, by its environment.
///
/// - Throws: ``RedlockError`` with the code `invalidArgument`, whose message names what is wrong, and never a password.
func makeRedlock(from environment: [String: String]) throws -> Redlock {
    // 10.0.0.1,10.0.0.2:6380,10.0.0.3, or one on each line
    let hosts = try Redlock.nodes(inList: environment["LOCK_HOSTS"] ?? "", named: "LOCK_HOSTS")
    var credentials = ""
    if let password = environment["LOCK_PASSWORD"] {
        // In a URL, whatever is not a letter or a digit may have a meaning.
        let user = environment["LOCK_USER"] ?? ""
        credentials = [user, password].map(percentEncoded).joined(separator: ":") + "@"
    }
    var configuration = Redlock.Configuration()
    configuration.keyPrefix = environment["LOCK_PREFIX"] ?? ""
    if let milliseconds = environment["LOCK_NODE_TIMEOUT_MS"].flatMap({ Int($0) }) {
        configuration.nodeTimeout = .milliseconds(milliseconds)
    }
    if let seconds = environment["LOCK_MAX_TTL_S"].flatMap({ Int($0) }) {
        // The same for all clients of these nodes.
        configuration.ttlLimits = .milliseconds(10) ... .seconds(seconds)
    }
    // Only if the nodes always kept every write.
    configuration.trustsDurableNodes = environment["LOCK_TRUST_DURABLE"] == "1"
    return try Redlock(nodes: hosts.map { "redis://\(credentials)\($0)" }, configuration: configuration)
}

private func percentEncoded(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
}
