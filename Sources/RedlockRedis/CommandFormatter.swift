internal import CHiredis
package import RedlockCore

/// Commands as bytes on the wire. Reuses its buffers: one formatter serves one event loop.
package struct CommandFormatter {
    /// Forms of commands whose layout is kept. There are four of releases, and four more for each ttl.
    static let maximumLayouts = 16

    private var text: [UInt8] = []
    private var lengths: [Int] = []
    /// Where the key of the lock is among the words.
    private var keyWord = 0
    private(set) var layouts: [(form: CommandLayout.Form, layout: CommandLayout)] = []
    /// The last command that was written by a layout.
    private var written: [UInt8] = []
    /// Makes room for the next.
    private var oldestLayout = 0

    package init() {}

    /// The bytes of a command of the lock.
    package mutating func format(_ command: Command) -> WireCommand {
        guard CommandLayout.isKept(for: command) else { return spell(command) }
        let form = CommandLayout.Form(command)
        for index in layouts.indices where layouts[index].form == form {
            layouts[index].layout.write(command, to: &written)
            return WireCommand(bytes: written)
        }
        let bytes = spell(command)
        let layout = CommandLayout(of: command, as: bytes, lengths: lengths, keyWord: keyWord)
        if layouts.count < Self.maximumLayouts {
            layouts.append((form, layout))
        } else {
            layouts[oldestLayout] = (form, layout)
            oldestLayout = (oldestLayout + 1) % Self.maximumLayouts
        }
        return bytes
    }

    private mutating func spell(_ command: Command) -> WireCommand {
        begin()
        switch command.operation {
        case .acquire(let milliseconds):
            add("SET")
            add(key: command.key)
            add(command.token)
            add("NX")
            add("PX")
            add(String(milliseconds))
        case .acquireFenced(let milliseconds, let number):
            addScript(Script.acquireFenced, Script.acquireFencedDigest, command, withNumber: true)
            add(String(milliseconds))
            add(String(number))
            if command.notice == .nothing { add("quietly") }
        case .raise(let number):
            addScript(Script.raise, Script.raiseDigest, command, withNumber: true)
            add(String(number))
        case .contend(let milliseconds):
            addScript(Script.contend, Script.contendDigest, command)
            add(String(milliseconds))
            if command.notice == .nothing { add("quietly") }
        case .extend(let milliseconds):
            addScript(Script.extend, Script.extendDigest, command)
            add(String(milliseconds))
        case .repair(let milliseconds):
            addScript("EVAL", Script.repair, of: command)
            add(String(milliseconds))
        case .release:
            addScript(Script.release, Script.releaseDigest, command)
            switch command.notice {
            case .nothing: break
            case .count: add("?")
            case .node: add("0")
            case .everywhere: add(Channel.released)
            }
        case .announce:
            add("PUBLISH")
            add(Channel.name(of: command.key))
            add(Channel.released)
        case .readClock:
            add("TIME")
        case .look:
            return formatLook()
        }
        return end()
    }

    /// Several commands, as a greeting has them.
    private mutating func formatLook() -> WireCommand {
        WireCommand(bytes: NodeFactsReader.questions.flatMap { format($0).bytes })
    }

    /// The bytes of a subscription to a key's channel, or of its end.
    package mutating func format(subscription isWanted: Bool, to key: [UInt8]) -> WireCommand {
        begin()
        add(isWanted ? "SUBSCRIBE" : "UNSUBSCRIBE")
        add(Channel.name(of: key))
        return end()
    }

    /// The bytes of any other command.
    package mutating func format(_ words: [String]) -> WireCommand { format(words.map { [UInt8]($0.utf8) }) }

    package mutating func format(_ words: [[UInt8]]) -> WireCommand {
        begin()
        for word in words { add(word) }
        return end()
    }

    private mutating func addScript(
        _ source: String, _ digest: String, _ command: Command, withNumber: Bool = false
    ) {
        switch command.spelling {
        case .digest: addScript("EVALSHA", digest, of: command, withNumber: withNumber)
        case .source: addScript("EVAL", source, of: command, withNumber: withNumber)
        }
    }

    private mutating func addScript(
        _ verb: String, _ script: String, of command: Command, withNumber: Bool = false
    ) {
        add(verb)
        add(script)
        add(withNumber ? "2" : "1")
        add(key: command.key)
        if withNumber { add(Command.numberKey(of: command.key)) }
        add(command.token)
    }

    private mutating func begin() {
        text.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
    }

    private mutating func add(_ word: String) {
        text.append(contentsOf: word.utf8)
        lengths.append(word.utf8.count)
    }

    private mutating func add(key: [UInt8]) {
        keyWord = lengths.count
        add(key)
    }

    private mutating func add(_ bytes: [UInt8]) {
        text.append(contentsOf: bytes)
        lengths.append(bytes.count)
    }

    private mutating func add(_ token: Token) {
        token.write(to: &text)
        lengths.append(Token.digits)
    }

    private func end() -> WireCommand {
        var formatted: UnsafeMutablePointer<CChar>?
        let length = unsafe text.withUnsafeBytes { bytes in
            unsafe withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: lengths.count) { words in
                var word = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
                for index in lengths.indices {
                    unsafe words[index] = word
                    unsafe word = word?.advanced(by: lengths[index])
                }
                return unsafe redisFormatCommandArgv(
                    &formatted, Int32(lengths.count), words.baseAddress, lengths)
            }
        }
        // It fails for want of memory alone, which Swift does not survive anywhere else either.
        guard length >= 0, let formatted = unsafe formatted else { preconditionFailure("out of memory") }
        defer { unsafe redisFreeCommand(formatted) }
        return unsafe WireCommand(bytes: [UInt8](UnsafeRawBufferPointer(start: formatted, count: Int(length))))
    }
}

/// The bytes of one command.
package struct WireCommand {
    package let bytes: [UInt8]

    package func append(to buffer: inout [UInt8]) {
        buffer.append(copying: bytes)
    }
}
