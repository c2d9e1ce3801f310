/// A value kept elsewhere: what holds it takes one word for it. A copy is a copy of the value, made when one of the two
/// is changed.
///
/// An array of one: it brings the sharing and the copying. Its accessors are inlined: one that is called, and yields,
/// allocates.
struct OnHeap<Value> {
    private var only: [Value]

    init(_ value: Value) {
        only = [value]
    }

    var value: Value {
        @inline(__always) _read { yield only[0] }
        @inline(__always) _modify { yield &only[0] }
    }
}

extension OnHeap: Sendable where Value: Sendable {}
