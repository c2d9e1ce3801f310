internal import CProcess
internal import Glibc

extension [[UInt8]] {
    /// The words that this program was started with, as the bytes that they are.
    ///
    /// - Parameter commandLine: Swift's own, which reads /proc: used where the loader handed over nothing.
    package init(of commandLine: CommandLine.Type) {
        let kept = unsafe cprocess_words()
        guard unsafe kept.count > 0, let words = unsafe kept.words else {
            self = unsafe Self.words(Int(commandLine.argc), commandLine.unsafeArgv)
            return
        }
        self = unsafe Self.words(Int(kept.count), words)
    }

    private static func words(_ count: Int, _ words: UnsafePointer<UnsafeMutablePointer<CChar>?>) -> [[UInt8]] {
        (0..<count).map { index in
            guard let word = unsafe words[index] else { return [] }
            return unsafe [UInt8](UnsafeRawBufferPointer(start: word, count: strlen(word)))
        }
    }
}
