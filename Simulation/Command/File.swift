import Folders
import Glibc

/// Whole files, and folders of them.
enum File {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// The largest file that is read, in bytes.
    static let limit = 16 << 20

    static func read(_ path: String) throws(Failure) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY)
        guard descriptor >= 0 else { throw failure("cannot read", path) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw failure("cannot read", path) }
            guard count > 0 else { return content }
            content += buffer[..<count]
            guard content.count <= limit else { throw Failure(description: "\(path) has more than \(limit) bytes") }
        }
    }

    /// Writes beside the file and then puts it in its place, so that nothing half-written is ever there.
    static func write(_ text: String, to path: String) throws(Failure) {
        let temporary = path + ".partial"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else { throw failure("cannot write", path) }
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                let failure = failure("cannot write", path)
                close(descriptor)
                unsafe unlink(temporary)
                throw failure
            }
            bytes = bytes.dropFirst(count)
        }
        close(descriptor)
        guard unsafe rename(temporary, path) == 0 else {
            let failure = failure("cannot write", path)
            unsafe unlink(temporary)
            throw failure
        }
    }

    /// Nothing happens if it is there.
    static func makeFolder(_ path: String) throws(Failure) {
        guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failure("cannot make", path) }
    }

    /// The `.json` files of a folder, by name; none when there is no such folder.
    static func schedules(in folder: String) -> [String] {
        (Folder.names(in: folder) ?? []).filter { $0.hasSuffix(".json") }.map { folder + "/" + $0 }
    }

    private static func failure(_ what: String, _ path: String) -> Failure {
        Failure(description: "\(what) \(path): \(unsafe String(cString: strerror(errno)))")
    }
}
