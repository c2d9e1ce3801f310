import Testing

@testable import RedlockRedis

@Suite struct ScriptTests {
    @Test(arguments: [
        ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
        ),
    ])
    func theTestsKnowSHA1(text: String, digest: String) {
        #expect(sha1([UInt8](text.utf8)) == digest)
    }

    @Test(arguments: [(Script.release, Script.releaseDigest), (Script.extend, Script.extendDigest)])
    func theDigestIsTheOneThatRedisComputes(source: String, digest: String) {
        #expect(sha1([UInt8](source.utf8)) == digest)
    }

    @Test(arguments: [Script.release, Script.extend])
    func aScriptIsOneLineOfASCII(source: String) {
        #expect(source.utf8.allSatisfy { (0x20..<0x7f).contains($0) })
    }
}
