internal import Glibc

/// What stands in folders, and in their files.
package enum Folder {
    /// The names in it, in order; nil when it cannot be read.
    package static func names(in path: String) -> [String]? {
        guard let directory = unsafe opendir(path) else { return nil }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) {
                unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Where folders for a while belong: TMPDIR, or /tmp without it.
    package static var temporary: String {
        unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    }

    /// Makes a folder that did not exist, and returns its path; nil when that fails, for the reason in `errno`.
    ///
    /// - Parameter prefix: How its name begins.
    package static func makeTemporary(_ prefix: String, in parent: String = temporary) -> String? {
        var template = Array("\(parent)/\(prefix)-XXXXXX".utf8CString)
        return unsafe mkdtemp(&template).map { unsafe String(cString: $0) }
    }

    /// A whole file; nil when it cannot be read.
    package static func text(of path: String) -> String? {
        // Closed on exec: another thread may be starting a program.
        guard let file = unsafe fopen(path, "re") else { return nil }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = unsafe fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return unsafe ferror(file) == 0 ? String(decoding: bytes, as: UTF8.self) : nil
    }
}
