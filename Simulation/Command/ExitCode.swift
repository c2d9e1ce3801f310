/// How the program ends.
enum ExitCode: Int32 {
    case asExpected = 0
    case safety = 1
    case inconclusive = 2
    case liveness = 3
    case nondeterminism = 4
    case usage = 64
    case `internal` = 70
}
