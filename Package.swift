// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
]

let package = Package(
    name: "redlock",
    products: [
        .library(name: "Redlock", targets: ["Redlock"]),
        .executable(name: "redlock", targets: ["RedlockCLI"]),
        .executable(name: "redlock-demo", targets: ["RedlockDemo"]),
        .executable(name: "redlock-sim", targets: ["redlock-sim"]),
        // Preloaded into servers whose clock is to be off, by `redlock-sim live`.
        .library(name: "ClockShim", type: .dynamic, targets: ["ClockShim"]),
        // Preloaded into programs that a test stops at a certain moment.
        .library(name: "StopShim", type: .dynamic, targets: ["StopShim"]),
    ],
    targets: [
        // The decisions: pure value types, no I/O, no clock, no Dispatch, no Foundation.
        .target(name: "RedlockCore", swiftSettings: strict),
        // hiredis, epoll and the few libc macros that Swift cannot import.
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        // Sockets, the event loop and the wire format.
        .target(
            name: "RedlockRedis", dependencies: ["RedlockCore", "CHiredis", "PosixLock", "PrintableText"],
            swiftSettings: strict),
        // A mutex that the thread sanitizer understands.
        .target(name: "PosixLock", swiftSettings: strict),
        // Text from outside, fit for a terminal.
        .target(name: "PrintableText", swiftSettings: strict),
        // The public API.
        .target(name: "Redlock", dependencies: ["RedlockCore", "RedlockRedis", "PosixLock"], swiftSettings: strict),
        // What stands in a folder, and folders for a while.
        .target(name: "Folders", swiftSettings: strict),
        // What happens between fork and exec, and the words of the command line.
        .target(name: "CProcess"),
        // Programs started and waited for by process id.
        .target(name: "ChildProcesses", dependencies: ["CProcess", "PrintableText"], swiftSettings: strict),
        // What both commands share: arguments, help, completion, the console.
        .target(
            name: "CommandSupport", dependencies: ["CProcess", "PosixLock", "PrintableText"], swiftSettings: strict),
        .executableTarget(
            name: "RedlockCLI",
            dependencies: [
                "CommandSupport", "Redlock", "RedlockBench", "RedlockCore", "RedlockDoctor", "ChildProcesses",
                "CProcess",
                "PosixLock", "PrintableText", "RedlockRedis",
            ],
            swiftSettings: strict),
        // Real redis-server processes on this machine, for the demo and the tests.
        .target(
            name: "LocalCluster", dependencies: ["CHiredis", "ChildProcesses", "Folders", "PosixLock"],
            swiftSettings: strict),
        .executableTarget(
            name: "RedlockDemo", dependencies: ["CommandSupport", "Redlock", "LocalCluster", "PosixLock"],
            swiftSettings: strict),
        // The library beside the bare wire, in one run: what `redlock bench` does.
        .target(
            name: "RedlockBench",
            dependencies: [
                "CHiredis", "ChildProcesses", "LocalCluster", "PosixLock", "PrintableText", "Redlock", "RedlockRedis",
            ],
            swiftSettings: strict),

        // What `redlock doctor` asks nodes, and what it finds.
        .target(
            name: "RedlockDoctor", dependencies: ["RedlockCore", "RedlockRedis", "PosixLock", "PrintableText"],
            swiftSettings: strict),

        // The core's decisions in a hostile world, judged and replayable.
        .target(
            name: "RedlockSimulation", dependencies: ["RedlockCore"], path: "Simulation/Library", swiftSettings: strict),
        // The same faults and promises on real servers, networks and processes.
        .systemLibrary(name: "CLivePage", path: "Simulation/LivePage"),
        .target(name: "ClockShim", path: "Simulation/ClockShim"),
        .target(
            name: "RedlockLive",
            dependencies: [
                "Redlock", "RedlockCore", "RedlockRedis", "RedlockSimulation", "LocalCluster", "ChildProcesses",
                "Folders", "PosixLock", "CLivePage",
            ],
            path: "Simulation/Live", swiftSettings: strict),
        .executableTarget(
            name: "redlock-sim",
            dependencies: [
                "CommandSupport", "RedlockSimulation", "RedlockLive", "ChildProcesses", "Folders", "PosixLock",
            ],
            path: "Simulation/Command",
            swiftSettings: strict),

        // What tests of several modules need.
        .target(name: "TestSupport", path: "Tests/Support", swiftSettings: strict),
        .testTarget(name: "PrintableTextTests", dependencies: ["PrintableText"], swiftSettings: strict),
        .testTarget(name: "CommandSupportTests", dependencies: ["CommandSupport"], swiftSettings: strict),
        .testTarget(name: "RedlockCoreTests", dependencies: ["RedlockCore"], swiftSettings: strict),
        .testTarget(
            name: "RedlockRedisTests",
            dependencies: [
                "RedlockRedis", "ChildProcesses", "LocalCluster", "PosixLock", "PrintableText", "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "RedlockSimulation", "RedlockCore", "RedlockRedis", "ChildProcesses", "Folders", "LocalCluster",
                "redlock-sim",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "LiveTests",
            dependencies: [
                "Redlock", "RedlockLive", "RedlockSimulation", "ChildProcesses", "Folders", "LocalCluster", "PosixLock",
                "TestSupport", "redlock-sim",
            ],
            swiftSettings: strict),
        // On the containers of docker-compose.yml, when .ci/compose has brought them up.
        .testTarget(
            name: "ComposeTests",
            dependencies: ["Redlock", "ChildProcesses", "LocalCluster", "PosixLock", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "RedlockTests", dependencies: ["Redlock", "RedlockCore", "RedlockRedis", "PosixLock"],
            swiftSettings: strict),
        .testTarget(
            name: "RedlockBenchTests",
            dependencies: ["RedlockBench", "RedlockCore", "RedlockRedis", "LocalCluster", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "RedlockDoctorTests", dependencies: ["RedlockDoctor", "RedlockCore", "RedlockRedis"],
            swiftSettings: strict),
        .target(name: "StopShim", path: "Tests/StopShim"),
        // A process that takes locks: the integration tests start several of them.
        .executableTarget(
            name: "LockWorker", dependencies: ["ChildProcesses", "Redlock"], path: "Tests/LockWorker",
            swiftSettings: strict),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "Redlock", "ChildProcesses", "Folders", "LocalCluster", "PosixLock", "RedlockCLI", "RedlockDemo",
                "RedlockDoctor", "TestSupport", "LockWorker", "redlock-sim",
            ],
            swiftSettings: strict),
    ]
)
