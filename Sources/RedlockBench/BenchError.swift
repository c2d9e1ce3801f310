/// Why there are no figures, and what would help.
package struct BenchError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
