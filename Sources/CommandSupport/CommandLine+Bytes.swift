internal import Glibc

extension [[UInt8]] {
    /// The words that this program was started with, as the bytes that they are.
    package init(of commandLine: CommandLine.Type) {
        self = (0..<Int(commandLine.argc)).map { index in
            let word = unsafe commandLine.unsafeArgv[index]!
            return unsafe [UInt8](UnsafeRawBufferPointer(start: word, count: strlen(word)))
        }
    }
}
