// Scenarios of the network, of extensions, and of services that are set up in another way.

extension Scenario {
    // MARK: Networks

    static var networks: [Scenario] {
        [
            Scenario(
                "paused-node-late-set-released",
                "three nodes stand still and execute the SETs later; the releases follow",
                grants: 1, marks: [.lateSetAfterRelease]
            ) {
                $0.fault(.nodePause, at: 90, nodes: [0, 1, 2], for: 310)
                $0.acquire(0, at: 100)
                $0.acquire(1, at: 450)
            },
            Scenario(
                "paused-node-late-set-not-released", "the same, with releases only for nodes that granted",
                .violated(.orphanKey)
            ) {
                $0.mutant = "release-where-granted"
                $0.fault(.nodePause, at: 90, nodes: [0, 1, 2], for: 310)
                $0.acquire(0, at: 100)
                $0.acquire(1, at: 450)
            },
            Scenario(
                "late-set-new-connection",
                "a SET waits in a connection that was given up, and arrives after the release",
                grants: 1, marks: [.setOnOldConnection]
            ) {
                $0.fault(.partition, at: 90, nodes: [0, 1, 2], clients: [0], for: 1_110)
                $0.acquire(0, at: 100)
                $0.acquire(1, at: 1_600, wait: 5_000)
            },
            Scenario(
                "asymmetric-partition", "a client's commands arrive and the answers do not", grants: 2,
                marks: [.unavailable]
            ) {
                // So that the nodes know the scripts: an unknown one needs a second message, after an answer.
                $0.acquire(1, at: 20)
                $0.then(.release, 1, at: 40)
                $0.fault(.partition, at: 90, nodes: [0, 1, 2, 3], clients: [0], for: 500, direction: .toClient)
                $0.acquire(0, at: 100)
                $0.acquire(1, at: 300)
            },
            Scenario(
                "majority-partition", "one client reaches a minority, the other all", grants: 1, marks: [.unavailable]
            ) {
                $0.fault(.partition, at: 50, nodes: [0, 1, 2], clients: [0], for: 4_000)
                $0.acquire(0, at: 100, wait: 1_000)
                $0.acquire(1, at: 2_500)
            },
            Scenario("split-vote", "two clients, each near half of four nodes, want the same again and again") {
                $0.options.scripted = false
                $0.splitVotes()
            },
            Scenario("heal-liveness", "nobody reaches anybody for 3 s; then all goes on") {
                $0.options.scripted = false
                $0.fault(.partition, at: 1_000, nodes: [0, 1, 2, 3, 4], clients: [0, 1], for: 3_000)
                $0.healAt = WorldOptions.milliseconds(4_000)
                $0.endAt = $0.healAt + 2 * $0.options.livenessBound
            },
            Scenario("error-replies", "three nodes answer with errors for a second", grants: 1, marks: [.errorReply]) {
                $0.fault(.nodeErrors, at: 90, nodes: [0, 1], for: 1_000, text: Schedule.errors[2])
                $0.fault(.nodeErrors, at: 90, nodes: [2], for: 1_000, text: Schedule.errors[0])
                $0.acquire(0, at: 100, wait: 3_000)
            },
        ]
    }

    // MARK: Extensions

    static var extensions: [Scenario] {
        [
            Scenario(
                "bare-majority-then-loss", "a node of a bare majority dies for good: the loss is told ahead", grants: 1,
                losses: 1, marks: [.atRisk, .extensionFailed, .lossTold]
            ) {
                $0.fault(.nodeKill, at: 10, nodes: [3, 4], for: 7_000)
                $0.acquire(0, at: 200, extendsItself: true)
                $0.fault(.nodeKill, at: 700, nodes: [0], for: 6_000)
            },
            Scenario(
                "bare-majority-then-repair",
                "two nodes come back and are repaired; then two of the first three die, and the lease goes on",
                grants: 2, losses: 0, marks: [.atRisk, .repaired, .recovered, .extended]
            ) {
                $0.options.trustsDurableNodes = true
                $0.fault(.nodeKill, at: 10, nodes: [3, 4], for: 590)
                $0.acquire(0, at: 200, extendsItself: true)
                $0.fault(.nodeKill, at: 1_500, nodes: [0, 1], for: 6_000)
                $0.acquire(1, at: 3_000, wait: 500)
                $0.then(.release, 0, at: 5_000)
                // Nothing is left on the nodes that were repaired.
                $0.acquire(1, at: 5_050, wait: 500)
                $0.then(.release, 1, at: 5_800)
            },
            Scenario(
                "rolling-restart", "all nodes are restarted in turn, without their keys, under a lease that goes on",
                grants: 1, losses: 0, marks: [.extended, .repaired], seconds: 20
            ) { $0.rollingRestart() },
            Scenario(
                "rolling-restart-without-repair", "the same without repair: the third node ends the lease",
                grants: 1, losses: 1, marks: [.extended, .atRisk, .lossTold], seconds: 20
            ) {
                $0.mutant = "without-repair"
                $0.rollingRestart()
            },
            Scenario(
                "extension-restores-minority", "two of five nodes lose all keys, and get them back after an extension",
                grants: 1, losses: 0, marks: [.extended, .atRisk, .repaired, .recovered]
            ) {
                $0.acquire(0, at: 100, extendsItself: true)
                $0.fault(.nodeFlush, at: 500, nodes: [0, 1])
                $0.fault(.nodeKill, at: 1_300, nodes: [2, 3], for: 6_000)
                $0.acquire(1, at: 2_500, wait: 2_000)
            },
            Scenario(
                "extension-late", "the answers to an extension are read after the lease's end", grants: 2,
                marks: [.lossByExpiry]
            ) {
                $0.acquire(0, at: 100)
                $0.then(.extend, 0, at: 1_700)
                $0.fault(.clientPause, at: 1_700.2, clients: [0], for: 3_500)
                $0.acquire(1, at: 1_800, wait: 5_000)
            },
            Scenario(
                "extension-partial", "an extension reaches two of five nodes: the old end stays", grants: 2,
                marks: [.extensionFailed]
            ) {
                $0.acquire(0, at: 100)
                $0.fault(.partition, at: 900, nodes: [0, 1, 2], clients: [0], for: 5_000)
                $0.then(.extend, 0, at: 1_000)
                $0.acquire(1, at: 1_200, wait: 5_000)
            },
            Scenario(
                "extension-shorter-ttl", "an extension by less than is left takes nothing away", grants: 1,
                marks: [.extended]
            ) {
                $0.acquire(0, at: 100)
                $0.then(.extend, 0, at: 200, ttl: 300)
                $0.acquire(1, at: 700, wait: 700)
            },
        ]
    }

    // MARK: Services

    static var services: [Scenario] {
        [
            Scenario("even-n", "four nodes: three are a majority, two are not", grants: 1, marks: [.unavailable]) {
                $0.options.nodes = 4
                $0.fault(.nodeKill, at: 10, nodes: [0, 1], for: 1_000)
                $0.acquire(0, at: 100)
                $0.acquire(1, at: 3_000)
            },
            Scenario("single-node", "one node: the plain lock on a single server", grants: 2) {
                $0.options.nodes = 1
                $0.acquire(0, at: 100)
                $0.acquire(1, at: 200, wait: 5_000)
                $0.then(.release, 0, at: 1_000)
            },
            Scenario(
                "config-mismatch", "two clients are configured with different nodes",
                .inconclusive([.overlap], .oneNodeList), grants: 2
            ) {
                $0.options.views = [[0, 1, 2], [2, 3, 4]]
                $0.acquire(0, at: 100)
                $0.acquire(1, at: 300)
            },
        ]
    }
}
