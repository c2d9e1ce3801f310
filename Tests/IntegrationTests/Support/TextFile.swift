import Folders

/// The files of this repository, for tests of what they say.
enum TextFile {
    private static let root = #filePath.split(separator: "/").dropLast(4).reduce("") { $0 + "/" + $1 }

    /// The pages and the Swift files of a folder, not of those in it; none when there is no such folder.
    static func names(in folder: String) -> [String] {
        (Folder.names(in: "\(root)/\(folder)") ?? []).filter { $0.hasSuffix(".md") || $0.hasSuffix(".swift") }
            .map { "\(folder)/\($0)" }
    }

    static func lines(of file: String) -> [String] {
        (Folder.text(of: "\(root)/\(file)") ?? "").split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
    }
}
