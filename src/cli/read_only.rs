//! Which commands of ours read-only refuses: what writes a state or the set-up, and what weakens a protection.
//!
//! The one table of it. Looking, and keeping more than before, are never refused.

use super::Command;

/// The command's name, where read-only refuses it; none where it may run.
pub(super) fn refused(command: &Command) -> Option<&'static str> {
    match command {
        Command::Restore { dry_run: false, .. } => Some("restore"),
        Command::Undo { dry_run: false, .. } => Some("undo"),
        Command::Check(options) if !options.plan_only => Some("check"),
        // It may be a state that is overwritten.
        Command::Cat { force: true, .. } => Some("cat"),
        Command::Unpin { .. } => Some("unpin"),
        Command::Accept { .. } => Some("accept"),
        Command::Passport { check: false } => Some("passport"),
        Command::Install { dry_run: false, .. } => Some("install"),
        Command::Uninstall { dry_run: false, .. } => Some("uninstall"),
        Command::Restore { .. }
        | Command::Undo { .. }
        | Command::Check(_)
        | Command::Passport { .. }
        | Command::Install { .. }
        | Command::Uninstall { .. }
        | Command::Status
        | Command::List { .. }
        | Command::Show { .. }
        | Command::Diff { .. }
        | Command::Cat { .. }
        | Command::Save { .. }
        | Command::Pin { .. }
        | Command::Doctor
        | Command::Which { .. }
        | Command::Completion { .. }
        | Command::Complete { .. }
        | Command::Version => None,
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::refused;
    use crate::cli::{Parsed, parse};

    fn is_refused(line: &str) -> bool {
        let words = line.split_whitespace().map(OsString::from).collect();
        let Ok(Parsed::Run(invocation)) = parse(words) else { panic!("{line}") };
        refused(&invocation.command).is_some()
    }

    #[test]
    fn what_writes_or_weakens_is_refused_and_what_looks_or_keeps_is_not() {
        for line in [
            "restore @",
            "restore @ --yes --force",
            "undo",
            "undo --orphan",
            "check",
            "check --yes --twice",
            "unpin 7c1e9a04",
            "accept -m why",
            "passport",
            "cat @ -o file --force",
            "install",
            "install --edit",
            "uninstall",
        ] {
            assert!(is_refused(line), "{line}");
        }
        for line in [
            "",
            "list",
            "show",
            "diff",
            "cat @ -o file",
            "save",
            "pin @",
            "doctor",
            "which -- apply",
            "completion bash",
            "version",
            "restore @ --dry-run",
            "undo --dry-run",
            "check --plan-only",
            "passport --check",
            "install --dry-run",
            "uninstall --dry-run",
        ] {
            assert!(!is_refused(line), "{line}");
        }
    }
}
