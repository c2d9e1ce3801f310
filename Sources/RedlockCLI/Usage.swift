/// What the command says about itself.
enum Usage {
    static let version = "0.1.0"

    static let overview = """
        redlock - a lock over independent Redis nodes

        usage: redlock run [options] RESOURCE -- COMMAND [ARGUMENT...]
               redlock help [run]
               redlock version

        `redlock run` runs COMMAND while it holds the lock on RESOURCE, so that no two of them run at the same time,
        on this machine or another. `redlock help run` tells all about it.
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
          --fencing           get a fencing token; all that lock RESOURCE should
          --json              write each event as a line of JSON on standard error
          -v, --verbose       write each event as a line of text on standard error
          -h, --help          this text

        TIME is a number with a unit: 500ms, 10s, 1.5m, 2h.

        COMMAND finds the resource's name in REDLOCK_RESOURCE. With --fencing it finds a number in REDLOCK_FENCING_TOKEN
        that is higher than those of all holders before, for the resource to compare; without, that variable is not set.
        Signals are passed on to its process group.

        exit codes: COMMAND's own, or 128 + n if signal n ended it
          64  the arguments are wrong                  75  another held the lock until --wait was over
          69  no quorum of nodes could be reached      76  the lock was lost while COMMAND ran
          71  the system refused something             126, 127  COMMAND cannot be executed, was not found

        example: redlock run --node redis://a --node redis://b --node redis://c nightly-report -- make report
        """
}
