import Glibc

/// The locks that the `redlock run` above this process hold for it, as they tell it through the environment: a program that
/// waits for one of them waits for its own end.
struct HeldLocks: Sendable {
    /// A `redlock run` that holds a lock.
    struct Holder: Sendable {
        let process: pid_t

        var hint: String {
            "this command runs under it: the `redlock run` that started it, process \(process), holds it until this has ended"
        }
    }

    private static let name = "REDLOCK_HELD"

    /// `PROCESS KEY NODE,NODE`, each without spaces and separated by semicolons, outermost first.
    private let entries: [Substring]

    static let inherited = HeldLocks(unsafe getenv(name).map { unsafe String(cString: $0) } ?? "")

    init(_ text: String) {
        entries = text.split(separator: ";")
    }

    /// What the command is to find, as `NAME=value`.
    var variable: [UInt8] { [UInt8]("\(Self.name)=\(entries.joined(separator: ";"))".utf8) }

    func adding(_ key: [UInt8], on nodes: [String], by process: pid_t = getpid()) -> HeldLocks {
        let entry =
            "\(process) \(Self.escaped(key)) \(nodes.map { Self.escaped([UInt8]($0.utf8)) }.joined(separator: ","))"
        return HeldLocks((entries + [entry[...]]).joined(separator: ";"))
    }

    /// The innermost one that runs still and holds this key on one of these nodes at least.
    func holder(of key: [UInt8], on nodes: [String]) -> Holder? {
        let key = Self.escaped(key)
        let nodes = Set(nodes.map { Self.escaped([UInt8]($0.utf8)) })
        for entry in entries.reversed() {
            let parts = entry.split(separator: " ")
            guard parts.count == 3, let process = pid_t(parts[0]), process > 0, parts[1] == key,
                parts[2].split(separator: ",").contains(where: { nodes.contains(String($0)) }),
                kill(process, 0) == 0 || errno == EPERM
            else { continue }
            return Holder(process: process)
        }
        return nil
    }

    /// Letters, digits and a few signs as they are, other bytes as `%` and two digits.
    private static func escaped(_ bytes: [UInt8]) -> String {
        let plain = Set("-._:/[]".utf8)
        return bytes.reduce(into: "") { text, byte in
            let scalar = Unicode.Scalar(byte)
            if plain.contains(byte) || scalar.isASCII && scalar.properties.isAlphabetic || (0x30...0x39).contains(byte)
            {
                text.unicodeScalars.append(scalar)
            } else {
                text += "%" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16)
            }
        }
    }
}
