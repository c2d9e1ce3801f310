internal import Glibc

/// The running program's own file.
package let executablePath: String = {
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 4_096) { buffer, count in
        let raw = unsafe UnsafeMutableRawPointer(buffer.baseAddress!).assumingMemoryBound(to: CChar.self)
        count = unsafe max(0, readlink("/proc/self/exe", raw, buffer.count))
    }
    return String(decoding: bytes, as: UTF8.self)
}()

/// The folder that the running program is in: programs and tests of a package are built into one.
package let buildFolder = executablePath.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    .joined(separator: "/")
