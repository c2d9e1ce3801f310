internal import Glibc
package import RedlockCore

/// A connection to a node for who has a thread to spare, and one question after another: everything blocks, until a
/// deadline that holds for all of it.
///
/// It dials as ``NodeConnection`` does, address by address, and speaks with the same formatter and reader.
package struct BlockingConnection: ~Copyable {
    package enum Failure: Error, Hashable, Sendable {
        /// The host's name says nothing, and why.
        case name(String)
        /// No connection came about, and why.
        case unreachable(String)
        case refused
        /// This process has no descriptor left.
        case noDescriptor(String)
        /// Nothing came until the deadline: no connection, or no answer on one.
        case connectTimedOut
        case answerTimedOut
        /// The connection ended, and how.
        case ended(String)
        /// What came is not the Redis protocol.
        case notRedis(String)
    }

    private static let readBytes = 16_384

    private let descriptor: Int32
    /// On ``BootClock``. A caller that asks for long moves it before each question.
    package var deadline: Int64
    private let reader = ReplyReader()
    private var formatter = CommandFormatter()

    /// Dials; only the look-up of a name may take longer than the deadline, on ``BootClock``.
    package init(to endpoint: NodeAddress.Endpoint, until deadline: Int64) throws(Failure) {
        let addresses: [SocketAddress]
        switch endpoint {
        case .unix(let path): addresses = [SocketAddress(path: path)]
        case .tcp(let host, let port):
            switch SocketAddress.resolve(host: host, port: port, numeric: false) {
            case .success(let found): addresses = found
            case .failure(let error): throw .name(error.description)
            }
        }
        var last = Failure.name("the host has no address")
        for address in addresses {
            switch Self.dial(address, deadline) {
            case .success(let descriptor):
                self.descriptor = descriptor
                self.deadline = deadline
                return
            case .failure(let failure): last = failure
            }
        }
        throw last
    }

    deinit {
        _ = close(descriptor)
    }

    private static func dial(_ address: SocketAddress, _ deadline: Int64) -> Result<Int32, Failure> {
        let descriptor: Int32
        switch address.connectedSocket() {
        case .success(let socket): descriptor = socket
        case .failure(let error): return .failure(failure(error.number))
        }
        guard wait(for: descriptor, POLLOUT, deadline) else {
            _ = close(descriptor)
            return .failure(.connectTimedOut)
        }
        var number: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        _ = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size)
        guard number == 0 else {
            _ = close(descriptor)
            return .failure(failure(number))
        }
        return .success(descriptor)
    }

    private static func failure(_ number: Int32) -> Failure {
        switch number {
        case ECONNREFUSED: .refused
        case EMFILE, ENFILE: .noDescriptor(describeError(number))
        default: .unreachable(describeError(number))
        }
    }

    /// False when the deadline came first.
    private static func wait(for descriptor: Int32, _ events: Int32, _ deadline: Int64) -> Bool {
        while true {
            let left = deadline - BootClock.nanoseconds
            guard left > 0 else { return false }
            var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let milliseconds = Int32(min((left + 999_999) / 1_000_000, Int64(Int32.max)))
            if unsafe poll(&entry, 1, milliseconds) > 0 { return true }
        }
    }
}

extension BlockingConnection {
    /// Sends commands in one write, and waits for as many answers.
    package mutating func ask(_ commands: [[String]]) throws(Failure) -> [Reply] {
        try ask(commands.map { words in words.map { [UInt8]($0.utf8) } })
    }

    package mutating func ask(_ commands: [[[UInt8]]]) throws(Failure) -> [Reply] {
        var bytes: [UInt8] = []
        for command in commands { formatter.format(command).append(to: &bytes) }
        let problem = send(bytes)
        var replies: [Reply] = []
        do throws(Failure) {
            while replies.count < commands.count { replies.append(try nextReply()) }
        } catch {
            // Whoever is turned away finds the reason before the end; else what the write met is nearer to the truth.
            throw replies.isEmpty ? problem ?? error : error
        }
        return replies
    }

    package mutating func ask(_ command: String...) throws(Failure) -> Reply {
        try ask([command])[0]
    }

    private func send(_ bytes: [UInt8]) -> Failure? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent >= 0 {
                rest = rest.dropFirst(sent)
            } else if errno == EAGAIN {
                guard Self.wait(for: descriptor, POLLOUT, deadline) else { return .answerTimedOut }
            } else if errno != EINTR {
                return .ended(describeError(errno))
            }
        }
        return nil
    }

    private func nextReply() throws(Failure) -> Reply {
        var buffer = [UInt8](repeating: 0, count: Self.readBytes)
        while true {
            do throws(ReplyReader.ProtocolError) {
                if let reply = try reader.next() { return reply }
            } catch {
                throw .notRedis(error.description)
            }
            guard Self.wait(for: descriptor, POLLIN, deadline) else { throw .answerTimedOut }
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            if count > 0 {
                let failure = unsafe buffer.withUnsafeBytes {
                    unsafe feed(UnsafeRawBufferPointer(rebasing: $0[..<count]))
                }
                if let failure { throw failure }
            } else if count == 0 {
                throw .ended("the node closed the connection")
            } else if errno != EINTR, errno != EAGAIN {
                throw .ended(describeError(errno))
            }
        }
    }

    private func feed(_ bytes: UnsafeRawBufferPointer) -> Failure? {
        do throws(ReplyReader.ProtocolError) {
            unsafe try reader.feed(bytes)
            return nil
        } catch {
            return .notRedis(error.description)
        }
    }
}
