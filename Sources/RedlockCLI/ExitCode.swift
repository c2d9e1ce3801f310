import CommandSupport

/// Exit codes, those of sysexits.h where it has one.
enum ExitCode {
    static let warnings: Int32 = 1
    static let usage = Program.usageCode
    static let unavailable: Int32 = 69
    static let system: Int32 = 71
    static let outputFailed: Int32 = 74
    static let heldByAnother: Int32 = 75
    static let lost: Int32 = 76
    static let cannotExecute: Int32 = 126
    static let notFound: Int32 = 127

    static func signal(_ number: Int32) -> Int32 { 128 + number }
}
