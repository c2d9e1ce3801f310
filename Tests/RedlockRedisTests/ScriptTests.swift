import LocalCluster
import Testing

@testable import RedlockRedis

@Suite struct ScriptTests {
    @Test func theDigestIsTheOneThatRedisComputes() throws {
        let cluster = try LocalCluster(nodes: 1)
        for (source, digest) in [
            (Script.release, Script.releaseDigest), (Script.contend, Script.contendDigest),
            (Script.extend, Script.extendDigest),
        ] {
            #expect(cluster.nodes[0].command("SCRIPT", "LOAD", source) == .string(digest))
        }
    }

    @Test(arguments: [Script.release, Script.contend, Script.extend, Script.repair])
    func aScriptIsOneLineOfASCII(source: String) {
        #expect(source.utf8.allSatisfy { (0x20..<0x7f).contains($0) })
    }
}
