internal import Glibc
internal import PrintableText

extension ChildProcess {
    /// Why a program was not started.
    package struct SpawnError: Error, CustomStringConvertible {
        /// One line; it names the interpreter of a script if that is what is wrong.
        package let description: String
        /// The `errno`.
        package let number: Int32

        /// Whether the system has no descriptor, process or memory left: no fault of the program.
        package var isScarcity: Bool { [EMFILE, ENFILE, EAGAIN, ENOMEM].contains(number) }

        package init(program: [UInt8], number: Int32) {
            self.number = number
            let name = program.isEmpty ? "''" : String(decoding: program, as: UTF8.self).printable
            // The system says of the file itself what is true of its interpreter.
            let isAboutFile = [ENOENT, EACCES, ENOTDIR, ELOOP].contains(number)
            if isAboutFile, let fault = Interpreter.fault(of: program) {
                description = fault.description
                return
            }
            description =
                switch number {
                case ENOENT: "\(name) was not found"
                case EACCES: "\(name) may not be executed"
                default: "\(name) cannot be started: \(unsafe String(cString: strerror(number)))"
                }
        }
    }
}

/// What runs a file that is no program by itself: the word behind `#!` of a script, or the loader of a dynamically linked
/// program.
private enum Interpreter {
    /// Of a file's beginning, where both stand. The kernel reads 256 bytes of a `#!` line.
    private static let readBytes = 4_096
    private static let lineBytes = 256
    /// An interpreter may be a script again; the kernel follows five.
    private static let longestChain = 5

    /// A file, and what is wrong with its interpreter.
    struct Fault: CustomStringConvertible {
        let file: [UInt8]
        let interpreter: [UInt8]
        let isMissing: Bool

        var description: String {
            let (file, interpreter) = (
                String(decoding: file, as: UTF8.self).printable, String(decoding: interpreter, as: UTF8.self).printable
            )
            let what = isMissing ? "was not found" : "may not be executed"
            let hint =
                self.interpreter.last == UInt8(ascii: "\r") ? "; the first line ends with a carriage return" : ""
            return "\(file) cannot be executed: its interpreter \(interpreter) \(what)\(hint)"
        }
    }

    /// Nil if the program, as a shell would find it, is not there, has no interpreter, or one that can be executed.
    static func fault(of program: [UInt8]) -> Fault? {
        for path in paths(of: program) {
            guard var start = beginning(of: path) else { continue }
            var file = path
            for _ in 0..<longestChain {
                guard let interpreter = script(start) ?? loader(start), !interpreter.isEmpty else { return nil }
                switch mode(of: interpreter) {
                case nil: return Fault(file: file, interpreter: interpreter, isMissing: true)
                case let mode? where mode & S_IFMT != S_IFREG || mode & 0o111 == 0:
                    return Fault(file: file, interpreter: interpreter, isMissing: false)
                default: break
                }
                guard let next = beginning(of: interpreter) else { return nil }
                (file, start) = (interpreter, next)
            }
            return nil
        }
        return nil
    }

    /// Where a shell would look, in order.
    private static func paths(of program: [UInt8]) -> [[UInt8]] {
        let slash = UInt8(ascii: "/")
        guard !program.contains(slash) else { return [program] }
        let path = unsafe getenv("PATH").map { unsafe [UInt8](UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
        return (path ?? [UInt8]("/bin:/usr/bin".utf8))
            .split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            .map { $0.isEmpty ? program : $0 + [slash] + program }
    }

    /// The kind of a file and its rights; nil if it is not there.
    private static func mode(of path: [UInt8]) -> mode_t? {
        var status = stat()
        return unsafe stat(terminated(path), &status) == 0 ? status.st_mode : nil
    }

    private static func beginning(of path: [UInt8]) -> [UInt8]? {
        let descriptor = unsafe open(terminated(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: readBytes)
        let count = unsafe read(descriptor, &bytes, bytes.count)
        return count < 0 ? nil : Array(bytes.prefix(count))
    }

    private static func terminated(_ path: [UInt8]) -> [CChar] {
        path.map { CChar(bitPattern: $0) } + [0]
    }

    private static func script(_ start: [UInt8]) -> [UInt8]? {
        guard start.starts(with: "#!".utf8) else { return nil }
        let line = start.prefix(lineBytes).dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        return Array(line.drop(while: isBlank).prefix { !isBlank($0) })
    }

    /// The PT_INTERP segment of an ELF file, of either size, in this machine's byte order. Nothing in it can be trusted.
    private static func loader(_ start: [UInt8]) -> [UInt8]? {
        guard start.starts(with: [0x7f] + [UInt8]("ELF".utf8)), start.count > 64 else { return nil }
        let is64 = start[4] == 2
        /// Nil beyond what was read, wherever the file says that it is.
        func number(at offset: Int, bytes: Int) -> Int? {
            guard (0...start.count - bytes).contains(offset) else { return nil }
            return Int(exactly: start[offset..<offset + bytes].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        }
        let wordBytes = is64 ? 8 : 4
        guard let table = number(at: is64 ? 32 : 28, bytes: wordBytes), table <= start.count,
            let size = number(at: is64 ? 54 : 42, bytes: 2), let count = number(at: is64 ? 56 : 44, bytes: 2)
        else { return nil }
        let interpreterSegment = 3
        for index in 0..<count {
            // Two bytes each: too small to overflow.
            let entry = table + index * size
            guard let kind = number(at: entry, bytes: 4) else { return nil }
            guard kind == interpreterSegment else { continue }
            guard let offset = number(at: entry + (is64 ? 8 : 4), bytes: wordBytes), offset < start.count else {
                return nil
            }
            return Array(start[offset...].prefix { $0 != 0 })
        }
        return nil
    }
}
