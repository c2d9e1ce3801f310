import Glibc
import Testing

/// A folder of a test's own, gone with it.
final class Folder {
    let path: String

    init() throws {
        var template = Array("/tmp/redlock-sim-test-XXXXXX".utf8CString)
        path = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe mkdtemp(buffer.baseAddress!) == nil ? "" : String(cString: buffer.baseAddress!)
        }
        try #require(!path.isEmpty)
    }

    deinit { Self.delete(path) }

    func write(_ text: String, to file: String) throws {
        let stream = unsafe try #require(fopen(file, "w"))
        let bytes = Array(text.utf8)
        let written = unsafe fwrite(bytes, 1, bytes.count, stream)
        #expect(written == bytes.count)
        unsafe fclose(stream)
    }

    /// A whole file.
    static func text(of path: String) throws -> String {
        let stream = unsafe try #require(fopen(path, "r"), "\(path)")
        defer { unsafe fclose(stream) }
        var bytes: [UInt8] = []
        while case let byte = unsafe getc(stream), byte != EOF { bytes.append(UInt8(byte)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    var names: [String] { Self.names(in: path) }

    static func names(in path: String) -> [String] {
        guard let directory = unsafe opendir(path) else { return [] }
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

    private static func delete(_ path: String) {
        for name in names(in: path) { delete(path + "/" + name) }
        unsafe remove(path)
    }
}
