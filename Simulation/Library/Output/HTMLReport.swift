package enum HTMLReport {
    package static func page(_ schedule: Schedule, _ outcome: Outcome, _ trace: [TraceRecord]) -> String { "" }
}
