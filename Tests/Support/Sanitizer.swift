internal import Glibc

/// Whether a sanitizer was built in: its own bookkeeping grows, so that resident memory says nothing then.
package enum Sanitizer {
    package static let isActive = has("__tsan_init") || has("__asan_init")

    private static func has(_ symbol: String) -> Bool {
        unsafe dlsym(nil, symbol) != nil
    }
}
