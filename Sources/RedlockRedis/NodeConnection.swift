internal import Glibc
internal import PrintableText
package import RedlockCore

/// One connection to one node, from the look-up of its name to the end. Not reused: the next one is a new object.
///
/// It works in turns of the event loop, and calls its handler there. hiredis formats and parses; the socket is ours,
/// because hiredis' own cannot be told to close on exec, to try a second address, or to leave SIGPIPE alone in the
/// versions that the distributions ship.
package final class NodeConnection {
    package enum Event {
        /// Connected, signed in, and the node has spoken: this is what it said of itself.
        case connected(Greeting)
        /// The first error in answer to the greeting. What follows may be a connection all the same.
        case complained(String)
        /// The answers to the oldest commands that have none, as many as have come together.
        case replies([Reply])
        /// Over, and why; nothing follows.
        case closed(reason: String, kind: Outage)
    }

    private enum Phase {
        case resolving
        case dialling(remaining: ArraySlice<SocketAddress>)
        /// Waiting for the answers to the greeting, named by what they answer. The first error among them is kept: it
        /// may be why the connection ends.
        case greeting(unanswered: ArraySlice<String>, facts: [Reply], complaint: String?)
        case open
        case closed
    }

    /// Reads from one connection in one turn: a node that floods us does not keep the others waiting.
    private static let readsPerTurn = 4

    private let address: NodeAddress
    private let loop: EventLoop
    private let resolver: Resolver
    private let handler: (Event) -> Void
    private let reader = ReplyReader()
    private var phase = Phase.resolving
    private var descriptor: Int32 = -1
    private var watch: EventLoop.WatchID?
    private var output: [UInt8] = []
    private var waitsToWrite = false
    /// Empty: kept for its room.
    private var spare: [Reply] = []

    package init(to address: NodeAddress, loop: EventLoop, resolver: Resolver, handler: @escaping (Event) -> Void) {
        self.address = address
        self.loop = loop
        self.resolver = resolver
        self.handler = handler
    }

    deinit {
        precondition(descriptor < 0, "a connection is closed before it is let go")
    }

    /// Dials. `attempt` picks the address to begin with, so that one which never answers does not hide the others.
    package func open(attempt: UInt64) {
        // Not weak, here and below: a weak reference costs a side table, and slower retains from then on. The resolver
        // lets go of this when it has answered or is cancelled, the loop when the socket is shut: ``close`` does both.
        resolver.resolve { [self] outcome in
            guard case .resolving = phase else { return }
            switch outcome {
            case .success(let addresses) where !addresses.isEmpty:
                let first = Int(attempt % UInt64(addresses.count))
                dial((addresses[first...] + addresses[..<first])[...])
            case .success:
                end("the host has no address")
            case .failure(let error):
                end(error.description)
            }
        }
    }

    /// Ends it from this side: quietly, and for good.
    ///
    /// - Parameter discardUnsent: Drop what has not left this machine, and do not send it later.
    package func close(discardUnsent: Bool) {
        guard descriptor >= 0 else {
            phase = .closed
            resolver.cancel()
            return
        }
        if discardUnsent {
            var reset = linger(l_onoff: 1, l_linger: 0)
            _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &reset, socklen_t(MemoryLayout<linger>.size))
        }
        shut()
        phase = .closed
    }

    /// Takes commands, as bytes, for ``flush()`` to send.
    package func take(_ bytes: [UInt8]) {
        guard case .open = phase else { return }
        if output.isEmpty { output = bytes } else { output += bytes }
    }

    /// Sends what has gathered, as far as the socket takes it; the rest follows by itself.
    package func flush() {
        guard !output.isEmpty, !waitsToWrite, descriptor >= 0 else { return }
        let sent = unsafe output.withUnsafeBytes {
            unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if sent == output.count {
            // Other nodes may have been sent the same bytes, and who gathered them has more use for their room.
            output = []
        } else if sent >= 0 || errno == EAGAIN || errno == EINTR {
            output.removeFirst(max(0, sent))
            waitsToWrite = true
            if let watch { loop.change(watch, to: .readAndWrite) }
        } else {
            let number = errno
            // A server that turns a client away says why before it closes.
            if case .greeting = phase { read() }
            end(describeError(number))
        }
    }
}

// MARK: - Dialling and greeting

extension NodeConnection {
    private func dial(_ addresses: ArraySlice<SocketAddress>) {
        guard let address = addresses.first else { return end("the host has no address") }
        let remaining = addresses.dropFirst()
        switch address.connectedSocket() {
        case .success(let descriptor):
            self.descriptor = descriptor
            phase = .dialling(remaining: remaining)
            do throws(EventLoop.SystemError) {
                watch = try loop.watch(descriptor, .readAndWrite) { [self] in ready(writable: $0) }
            } catch {
                end(error.description)
            }
        case .failure(let error):
            remaining.isEmpty ? end(error.number) : dial(remaining)
        }
    }

    private func finishDialling(_ remaining: ArraySlice<SocketAddress>) {
        var number: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        _ = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size)
        guard number == 0 else {
            guard !remaining.isEmpty else { return end(number) }
            shut()
            return dial(remaining)
        }
        if let watch { loop.change(watch, to: .read) }
        greet()
    }

    /// Signs in, selects the database, asks for a sign of life (a stopped process still accepts connections), and for
    /// what the server is: all in one write, so that it costs one round trip.
    private func greet() {
        var formatter = CommandFormatter()
        var commands: [[String]] = []
        if let password = address.password {
            commands.append(["AUTH"] + (address.user.map { [$0] } ?? []) + [password])
        }
        if address.database != 0 { commands.append(["SELECT", String(address.database)]) }
        commands.append(["PING"])
        commands += NodeFactsReader.questions
        for command in commands { formatter.format(command).append(to: &output) }
        phase = .greeting(unanswered: commands.map { $0[0] }[...], facts: [], complaint: nil)
        flush()
    }

    private func greeted(
        _ reply: Reply, _ unanswered: ArraySlice<String>, _ facts: [Reply], _ complaint: String?
    ) {
        let command = unanswered.first
        let mustSucceed = command == "AUTH" || command == "SELECT"
        var complaint = complaint
        var isFirst = false
        if case .error(let text) = reply, let command {
            if reply.turnsAway { return end(text, .turnedAway) }
            let words = "\(command): \(withoutPassword(text))"
            if mustSucceed { return end(words, .turnedAway) }
            // An error in answer to PING still shows that the node is alive; what it thinks of locks, their votes will
            // tell.
            if complaint == nil {
                complaint = words
                isFirst = true
            }
        }
        let remaining = unanswered.dropFirst()
        let facts = mustSucceed || command == "PING" ? facts : facts + [reply]
        guard remaining.isEmpty else {
            phase = .greeting(unanswered: remaining, facts: facts, complaint: complaint)
            if isFirst, let complaint { handler(.complained(complaint)) }
            return
        }
        do throws(NodeFactsReader.NotReady) {
            let greeting = try NodeFactsReader.greeting(facts)
            phase = .open
            handler(.connected(greeting))
        } catch {
            end(error.reason, error.cause == .loading ? .loading : .notReady)
        }
    }

    /// What a server says about AUTH may quote it.
    private func withoutPassword(_ text: String) -> String {
        let isSecret = address.password.map { text.contains($0) || text.contains($0.printable) } ?? false
        return isSecret ? "refused" : text
    }
}

// MARK: - Reading and ending

extension NodeConnection {
    private func ready(writable: Bool) {
        if case .dialling(let remaining) = phase {
            if writable { finishDialling(remaining) }
            return
        }
        if writable, waitsToWrite {
            waitsToWrite = false
            if let watch { loop.change(watch, to: .read) }
            flush()
        }
        read()
    }

    private func read() {
        let buffer = unsafe loop.readBuffer
        for _ in 0..<Self.readsPerTurn where descriptor >= 0 {
            let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 {
                unsafe parse(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                // A short read has emptied the socket: no need to ask again.
                if count < buffer.count { return }
            } else if count == 0 {
                return end("the node closed the connection")
            } else if errno != EINTR {
                return errno == EAGAIN ? () : end(describeError(errno))
            }
        }
    }

    private func parse(_ bytes: UnsafeRawBufferPointer) {
        var replies: [Reply] = []
        swap(&replies, &spare)
        var failure: ReplyReader.ProtocolError?
        do throws(ReplyReader.ProtocolError) {
            unsafe try reader.feed(bytes)
            while let reply = try reader.next() {
                switch phase {
                case .greeting(let unanswered, let facts, let complaint):
                    greeted(reply, unanswered, facts, complaint)
                case .open: replies.append(reply)
                case .resolving, .dialling, .closed: return
                }
            }
        } catch {
            failure = error
        }
        if !replies.isEmpty { handler(.replies(replies)) }
        replies.empty()
        swap(&replies, &spare)
        if let failure { end("protocol error: \(failure)", .turnedAway) }
    }

    private func shut() {
        if let watch { loop.unwatch(watch) }
        watch = nil
        _ = Glibc.close(descriptor)
        descriptor = -1
        waitsToWrite = false
        output = []
    }

    /// No connection was made.
    private func end(_ number: Int32) {
        end(describeError(number), number == ECONNREFUSED ? .refused : .unreachable)
    }

    private func end(_ reason: String, _ kind: Outage = .unreachable) {
        if case .closed = phase { return }
        var (reason, kind) = (reason, kind)
        if case .greeting(_, _, let complaint?) = phase, kind == .unreachable {
            // It answered, and it ended the connection for that.
            (reason, kind) = (complaint, .turnedAway)
        }
        if descriptor >= 0 { shut() }
        phase = .closed
        handler(.closed(reason: reason, kind: kind))
    }
}
