import RedlockCore

extension NodeFindings {
    /// Whether others than the lock's clients may take and delete locks.
    package static func access(_ server: ServerReport, host: String?) -> [Finding] {
        let risk: Wording = "Whoever reaches {its port|their ports} can take and delete locks."
        switch server.access {
        case .withPassword, nil: return []
        case .withoutPassword:
            return [
                Finding(
                    .warning, .passwordNotNeeded, seen: "{it lets|they let} in who gives no password",
                    risk: "The password of the URL protects nothing. " + risk,
                    change:
                        "Switch the user without a password off (`user default off`), or give that user one (`requirepass`)."
                )
            ]
        case .noPassword:
            // Whether others come in from elsewhere cannot be seen from here; and so people try it out.
            guard host != NodeReport.thisMachine else { return [] }
            return [
                Finding(
                    .note, .noPassword, seen: "{it asks|they ask} for no password", risk: risk,
                    change:
                        "Make a user for the lock, and switch the default one off (docs/operations.md, Access).")
            ]
        }
    }
}
