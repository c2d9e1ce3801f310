/// What the command says about itself.
enum Usage {
    static let version = "0.1.0"

    static let overview = """
        redlock - a lock over independent Redis nodes

        usage: redlock run [options] RESOURCE -- COMMAND [ARGUMENT...]
               redlock bench [options]
               redlock help [run|bench]
               redlock version

        `redlock run` runs COMMAND while it holds the lock on RESOURCE, so that no two of them run at the same time,
        on this machine or another. `redlock bench` measures the lock beside the bare wire. `redlock help run` and
        `redlock help bench` tell all about them.
        """

    static let run = """
        usage: redlock run [options] RESOURCE -- COMMAND [ARGUMENT...]

        Runs COMMAND while holding the lock on RESOURCE. The lock is extended while COMMAND runs, and released when it
        ends. When the lock is lost, COMMAND and all of its process group get SIGTERM, and SIGKILL after the grace time.
        While it is at risk of that, a line on standard error says so, and another when the risk is over.

        options:
          --node URL          a node: redis://[[user]:password@]host[:port][/db] or unix:///path; once for each node.
                              Without it, REDLOCK_NODES names them, separated by commas.
          --ttl TIME          how long the lock outlives a machine that dies (default 10s)
          --wait TIME         how long to wait for the lock; 0s tries once (default 30s)
          --grace TIME        from SIGTERM to SIGKILL (default: a tenth of the ttl, which is when the lock ends)
          --max-hold TIME     the longest that the lock may be held (default: no limit)
          --node-timeout TIME how long a node may take to answer (default 100ms)
          --key-prefix TEXT   put before RESOURCE to make its key (default: nothing)
          --json              write each event as a line of JSON on standard error
          -v, --verbose       write each event as a line of text on standard error
          -h, --help          this text

        TIME is a number with a unit: 500ms, 10s, 1.5m, 2h.

        COMMAND finds the resource's name in REDLOCK_RESOURCE. Signals are passed on to its process group.

        exit codes: COMMAND's own, or 128 + n if signal n ended it
          64  the arguments are wrong                  75  another held the lock until --wait was over
          69  no quorum of nodes could be reached      76  the lock was lost while COMMAND ran
          71  the system refused something             126, 127  COMMAND cannot be executed, was not found

        example: redlock run --node redis://a --node redis://b --node redis://c nightly-report -- make report
        """

    static let bench = """
        usage: redlock bench [options]

        Measures acquires and releases beside the floor: the same commands by plain hiredis, in the same run. Without
        nodes it starts five servers on this machine, and stops them at the end. docs/performance.md explains the figures.

        options:
          --node URL          a node to measure on; once for each. Without it, REDLOCK_NODES names them.
          --local             start servers on this machine even if REDLOCK_NODES is set
          --case NAME         what to measure; once for each (default: all that the nodes allow)
                                healthy    all nodes answer
                                refused    one node is gone                    (servers of its own only, as the next three)
                                hung       one node is stopped, and accepts
                                two-hung   two nodes are
                                delay      a millisecond to each node, and a millisecond back
                                contended  several want one resource, in one process and in several
                                memory     what held leases and waiting callers occupy
          --rounds NUMBER     how often to go through all of it; figures are medians of rounds (default 3; 1 to 100)
          --time TIME         how long each measurement takes (default 1s; 10ms to 60s)
          --callers LIST      tasks that lock at the same time (default 1,16,64,256; each 1 to 4096)
          --contenders NUMBER in the case contended (default 8; 2 to 64)
          --leases NUMBER     in the case memory (default 100000; 100 to 1000000)
          --quick             one round of a few seconds: to see that it works, not to quote
          --json              write the report as JSON on standard output
          -h, --help          this text

        Keys begin with redlock-bench: and are released. Ctrl-C ends it after the measurement under way.

        exit codes: 0; 64 the arguments are wrong; 69 nodes or servers cannot be had; 130 ended by Ctrl-C
        """
}
