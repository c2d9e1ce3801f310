internal import Glibc

/// Whether something can be written at a path: asked before work that may take hours, not after it.
enum OutputPath {
    /// What is in the way of writing a file, or of putting a new one in its place; nil for nothing.
    static func problem(withFile path: String) -> String? {
        guard !path.isEmpty else { return "its name is empty" }
        if isFolder(path) { return "\(path) is a folder" }
        let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        let parent = String(path.dropLast(name.count))
        return problem(withFolder: parent.isEmpty ? "." : parent)
    }

    static func problem(withFolder path: String) -> String? {
        guard isFolder(path) else { return "there is no folder \(path)" }
        guard unsafe access(path, W_OK | X_OK) == 0 else {
            return "\(path): \(unsafe String(cString: strerror(errno)))"
        }
        return nil
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
