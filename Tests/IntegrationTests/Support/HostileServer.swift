import Dispatch
import Glibc
import LocalCluster
import PosixLock
import Testing

/// A server that speaks, but not as a Redis node does. It ends with the test that holds it.
final class HostileServer: Sendable {
    enum Behaviour: Sendable, CustomTestStringConvertible {
        /// Takes the connection and closes it.
        case closesAtOnce
        /// Closes when the first command arrives.
        case closesAfterCommand
        /// Sends this, as it is, whatever it is asked.
        case sends(String)
        /// Sends this to every connection, and closes it.
        case turnsAway(String)
        /// Sends this to every connection, and nothing else.
        case complains(String)
        /// Answers the greeting with this text for INFO, answers what comes next, and closes.
        case answersAndCloses(info: String)
        /// Answers each command after PING with this error.
        case answers(error: String)
        /// Grants everything, and answers INFO with this text.
        case says(info: String)
        /// Grants every lock with fencing, and reports this number as the highest that it has.
        case reports(number: Int64)
        /// Grants a SET, and goes on with what is no protocol in the same breath.
        case grantsAndRaves
        /// Announces a string of half a gigabyte, and goes on sending.
        case floods

        var testDescription: String {
            switch self {
            case .closesAtOnce: "closes at once"
            case .closesAfterCommand: "closes after a command"
            case .turnsAway(let text): "turns away with \(text.debugDescription)"
            case .complains(let text): "complains with \(text.debugDescription)"
            case .answersAndCloses: "answers and closes"
            case .sends(let text): "sends \(text.debugDescription)"
            case .answers(let error): "answers \(error)"
            case .says(let info): "says \(info.debugDescription)"
            case .reports(let number): "reports \(number)"
            case .grantsAndRaves: "grants and raves"
            case .floods: "floods"
            }
        }
    }

    let port: UInt16
    var url: String { "redis://127.0.0.1:\(port)" }
    private let listener: Int32
    private let connects = Locked<[ContinuousClock.Instant]>([])

    /// When each connection was taken.
    var connections: [ContinuousClock.Instant] { connects.withLock { $0 } }

    init(_ behaviour: Behaviour) throws {
        (port, listener) = try Self.listen()
        let descriptor = listener
        DispatchQueue(label: "hostile").async { [connects] in
            while true {
                let connection = Self.nextConnection(descriptor)
                guard connection >= 0 else { return }
                connects.withLock { $0.append(.now) }
                DispatchQueue(label: "hostile connection").async { Self.serve(connection, behaviour) }
            }
        }
    }

    deinit {
        // Wakes the thread in accept, which then closes.
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// A port that was free a moment ago may be taken by now: another is tried then.
    private static func listen() throws -> (port: UInt16, listener: Int32) {
        var attempts = 0
        while true {
            let port = try FreePorts.next()
            let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            address.sin_port = port.bigEndian
            let status = unsafe withUnsafeBytes(of: &address) { bytes in
                unsafe bind(
                    listener, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
            }
            if status == 0, Glibc.listen(listener, 16) == 0 { return (port, listener) }
            close(listener)
            attempts += 1
            guard attempts < 5 else {
                throw LocalNode.StartError(description: "port \(port) cannot be listened on")
            }
        }
    }

    private static func nextConnection(_ descriptor: Int32) -> Int32 {
        let connection = accept(descriptor, nil, nil)
        if connection >= 0 { _ = fcntl(connection, F_SETFD, FD_CLOEXEC) }
        return connection
    }

    private static func serve(_ connection: Int32, _ behaviour: Behaviour) {
        defer { close(connection) }
        if case .closesAtOnce = behaviour { return }
        if case .turnsAway(let text) = behaviour {
            _ = send(text, to: connection)
            return
        }
        var isGreeted = false
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = unsafe recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            let text = String(decoding: buffer.prefix(count), as: UTF8.self)
            switch behaviour {
            case .closesAtOnce, .closesAfterCommand, .turnsAway:
                return
            case .complains(let text):
                if !isGreeted, !send(text, to: connection) { return }
                isGreeted = true
            case .answersAndCloses(let info):
                for command in commands(text) {
                    let answer = command.contains("INFO") ? "$\(info.utf8.count)\r\n\(info)\r\n" : "+OK\r\n"
                    guard send(answer, to: connection) else { return }
                }
                if isGreeted { return }
                isGreeted = true
            case .sends(let bytes):
                guard send(bytes, to: connection) else { return }
            case .answers(let error):
                for command in commands(text) {
                    guard send(command.contains("PING") ? "+PONG\r\n" : "-\(error)\r\n", to: connection) else { return }
                }
            case .says(let info):
                for command in commands(text) {
                    let answer =
                        command.contains("INFO") ? "$\(info.utf8.count)\r\n\(info)\r\n" : "+OK\r\n"
                    guard send(answer, to: connection) else { return }
                }
            case .reports(let number):
                for command in commands(text) {
                    let answer = command.contains(":fencing\r\n") ? "*2\r\n:2\r\n:\(number)\r\n" : "+OK\r\n"
                    guard send(answer, to: connection) else { return }
                }
            case .grantsAndRaves:
                for command in commands(text) {
                    let answer = command.contains("\r\nSET\r\n") ? "+OK\r\n\u{0}\u{1}" : "+OK\r\n"
                    guard send(answer, to: connection) else { return }
                }
            case .floods:
                guard send("$536870912\r\n", to: connection) else { return }
                let chunk = String(repeating: "x", count: 65_536)
                while send(chunk, to: connection) {}
                return
            }
        }
    }

    /// A command begins with * and a number; none of ours has that anywhere else.
    private static func commands(_ text: String) -> [Substring] {
        var commands: [Substring] = []
        for part in text.split(separator: "*") {
            if part.first?.isNumber == true { commands.append(part) }
        }
        return commands
    }

    private static func send(_ text: String, to connection: Int32) -> Bool {
        var rest = [UInt8](text.utf8)[...]
        while !rest.isEmpty {
            let sent = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }
}
