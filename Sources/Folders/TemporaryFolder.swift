internal import Glibc

/// A folder of its owner's own, gone with it and all that is in it.
package final class TemporaryFolder: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package let path: String

    package init() throws(Failure) {
        guard let path = Folder.makeTemporary("redlock", in: "/tmp") else {
            throw Failure(description: "no folder in /tmp can be made: \(unsafe String(cString: strerror(errno)))")
        }
        self.path = path
    }

    deinit { Self.delete(path) }

    package var names: [String] { Folder.names(in: path) ?? [] }

    package func write(_ text: String, to name: String) throws(Failure) {
        let file = unsafe fopen("\(path)/\(name)", "w")
        guard let file = unsafe file else { throw Failure(description: "\(path)/\(name) cannot be written") }
        let bytes = Array(text.utf8)
        let written = unsafe fwrite(bytes, 1, bytes.count, file)
        guard unsafe fclose(file) == 0, written == bytes.count else {
            throw Failure(description: "\(path)/\(name) cannot be written")
        }
    }

    package func text(of name: String) -> String? { Folder.text(of: "\(path)/\(name)") }

    /// Links are deleted, and not followed.
    private static func delete(_ path: String) {
        if unsafe unlink(path) == 0 { return }
        for name in Folder.names(in: path) ?? [] { delete("\(path)/\(name)") }
        unsafe rmdir(path)
    }
}
