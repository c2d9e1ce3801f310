extension Array {
    /// Empties it and keeps its room for what comes next; but not more than this many elements take, for that came of a
    /// crowd.
    @inlinable
    package mutating func empty(keepingUpTo limit: Int) {
        removeAll(keepingCapacity: capacity <= limit)
    }
}
