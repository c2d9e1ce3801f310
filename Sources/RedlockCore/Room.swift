extension Array {
    /// Empties it and keeps its room for what comes next, unless that is more than this many elements take.
    @inlinable
    package mutating func empty(keepingUpTo limit: Int = Limits.keptElements) {
        removeAll(keepingCapacity: capacity <= limit)
    }
}
