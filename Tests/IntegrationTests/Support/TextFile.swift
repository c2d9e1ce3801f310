import Folders
import Glibc

/// The files of this repository, for tests of what they say.
enum TextFile {
    private static let root = #filePath.split(separator: "/").dropLast(4).reduce("") { $0 + "/" + $1 }

    /// The pages and the Swift files of a folder, not of those in it; none when there is no such folder.
    static func names(in folder: String) -> [String] {
        (Folder.names(in: "\(root)/\(folder)") ?? []).filter { $0.hasSuffix(".md") || $0.hasSuffix(".swift") }
            .map { "\(folder)/\($0)" }
    }

    static func lines(of file: String) -> [String] {
        guard let stream = unsafe fopen("\(root)/\(file)", "r") else { return [] }
        defer { unsafe fclose(stream) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = unsafe fread(&chunk, 1, chunk.count, stream), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
    }
}
