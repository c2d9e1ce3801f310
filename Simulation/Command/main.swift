import RedlockSimulation
let p = Profile.tolerated
let n = UInt64(CommandLine.arguments.dropFirst().first ?? "100")!
let m = CommandLine.arguments.dropFirst(2).first
var events = 0, dur: Int64 = 0, grants = 0
let c = ContinuousClock()
let t0 = c.now
var bad = 0
for s in 0..<n {
    var sch = Schedule(random: s, p)
    sch.mutant = m
    if let m, Mutant.named(m) != nil { Mutant.named(m)!.hunt(&sch) }
    var w = World(sch)
    let o = w.run()
    if CommandLine.arguments.count > 3 { print(s, o.events, o.grants, o.attempts, o.duration / 1_000_000, sch.options.hold/1_000_000, sch.options.think/1_000_000, sch.options.delay/1000, c.now - t0) }
    events += o.events; dur += o.duration; grants += o.grants
    if let v = o.worst { bad += 1; if bad < 20 { print(s, o.verdict, v.oracle, v.at, v.message, v.excuse as Any) } }
}
let e = c.now - t0
let secs = Double(e.components.seconds) + Double(e.components.attoseconds) / 1e18
print("bad", bad, "events", events, "grants", grants, "ev/s", Double(events) / secs, "x real", Double(dur) / 1e9 / secs, secs)
