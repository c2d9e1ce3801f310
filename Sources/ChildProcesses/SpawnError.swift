internal import Glibc
internal import PrintableText

extension ChildProcess {
    /// Why a program was not started.
    package struct SpawnError: Error, CustomStringConvertible {
        /// One line, with the file that is missing where it is another than the program.
        package let description: String
        /// The `errno`.
        package let number: Int32

        /// Whether it is for want of descriptors, processes or memory: no fault of the program.
        package var isScarcity: Bool { [EMFILE, ENFILE, EAGAIN, ENOMEM].contains(number) }

        package init(program: [UInt8], number: Int32) {
            self.number = number
            let name = String(decoding: program, as: UTF8.self).printable
            switch (number, Interpreter.problem(with: program)) {
            case (ENOENT, let problem?) where problem.number == ENOENT:
                let carriageReturn =
                    problem.interpreter.hasSuffix("\r") ? "; the first line ends with a carriage return" : ""
                description =
                    "\(problem.file.printable) cannot be executed: its interpreter \(problem.interpreter.printable) was not "
                    + "found" + carriageReturn
            case (EACCES, let problem?) where problem.number == EACCES:
                description =
                    "\(problem.file.printable) cannot be executed: its interpreter \(problem.interpreter.printable) may not "
                    + "be executed"
            case (ENOENT, _): description = "\(name) was not found"
            case (EACCES, _): description = "\(name) may not be executed"
            default: description = "\(name) cannot be started: \(unsafe String(cString: strerror(number)))"
            }
        }
    }
}

/// What runs a file that is no program by itself: the word behind `#!` of a script, or the loader of a dynamically linked
/// program. Where that is missing, the system says of the file itself that it is not there.
private enum Interpreter {
    /// Of a file's beginning, where both stand. The kernel reads 256 bytes of a `#!` line.
    private static let readBytes = 4_096
    private static let lineBytes = 256

    /// - Returns: The file that the program's name means, its interpreter, and the `errno` of trying that; nil if there is
    ///   no interpreter, or nothing wrong with it.
    static func problem(with program: [UInt8]) -> (file: String, interpreter: String, number: Int32)? {
        for path in paths(of: program) {
            guard let start = beginning(of: path) else { continue }
            guard let interpreter = script(start) ?? loader(start), !interpreter.isEmpty,
                unsafe access(interpreter, X_OK) != 0
            else { return nil }
            return (path, interpreter, errno)
        }
        return nil
    }

    /// Where a shell would look, in order.
    private static func paths(of program: [UInt8]) -> [String] {
        let name = String(decoding: program, as: UTF8.self)
        guard !program.contains(UInt8(ascii: "/")) else { return [name] }
        let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? "/bin:/usr/bin"
        return path.split(separator: ":", omittingEmptySubsequences: false).map { $0.isEmpty ? name : "\($0)/\(name)" }
    }

    private static func beginning(of path: String) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: readBytes)
        let count = unsafe read(descriptor, &bytes, bytes.count)
        return count < 0 ? nil : Array(bytes.prefix(count))
    }

    private static func script(_ start: [UInt8]) -> String? {
        guard start.starts(with: "#!".utf8) else { return nil }
        let line = start.prefix(lineBytes).dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        return String(decoding: line.drop(while: isBlank).prefix { !isBlank($0) }, as: UTF8.self)
    }

    /// The PT_INTERP segment of an ELF file, of either size, in this machine's byte order.
    private static func loader(_ start: [UInt8]) -> String? {
        guard start.starts(with: [0x7f, UInt8(ascii: "E"), UInt8(ascii: "L"), UInt8(ascii: "F")]), start.count > 64
        else { return nil }
        func number<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type) -> Int? {
            let size = MemoryLayout<Value>.size
            guard offset >= 0, offset + size <= start.count else { return nil }
            let bytes = start[offset..<offset + size]
            return Int(truncatingIfNeeded: bytes.reversed().reduce(Value.zero) { $0 << 8 | Value($1) })
        }
        func word(at offset: Int) -> Int? {
            is64 ? number(at: offset, as: UInt64.self) : number(at: offset, as: UInt32.self)
        }
        var is64: Bool { start[4] == 2 }
        guard let table = word(at: is64 ? 32 : 28), let size = number(at: is64 ? 54 : 42, as: UInt16.self),
            let count = number(at: is64 ? 56 : 44, as: UInt16.self)
        else { return nil }
        let interpreterSegment = 3
        for index in 0..<count {
            let (entry, overflows) = table.addingReportingOverflow(index * size)
            guard !overflows, let kind = number(at: entry, as: UInt32.self) else { return nil }
            guard kind == interpreterSegment, let offset = word(at: entry + (is64 ? 8 : 4)), offset < start.count,
                offset >= 0
            else { continue }
            return String(decoding: start[offset...].prefix { $0 != 0 }, as: UTF8.self)
        }
        return nil
    }
}
