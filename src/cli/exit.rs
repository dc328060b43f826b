//! What each exit status means: `docs/exit-codes.md` is generated from [`STATUSES`].
#![cfg(test)]

/// One row of the reference page.
pub(super) struct Status {
    /// The number, or what stands for it.
    pub(super) number: &'static str,
    /// What it means after a command that was given to Terraform, in Markdown.
    pub(super) proxied: &'static str,
    /// What it means after `tf shim …`, in Markdown.
    pub(super) shim: &'static str,
}

/// Every status, in the order of the reference page.
pub(super) const STATUSES: &[Status] = &[
    Status { number: "0", proxied: "Terraform's own", shim: "done; `check`: idempotent" },
    Status {
        number: "1",
        proxied: "Terraform's own",
        shim: "failed: an unknown REF, a damaged object; `doctor`: a problem",
    },
    Status {
        number: "2",
        proxied: "Terraform's own",
        shim: "`check`: not idempotent; `diff -detailed-exitcode`: they differ",
    },
    Status {
        number: "3",
        proxied: "Terraform's own",
        shim: "refused: not confirmed, the state locked, a store made by a newer `tf`",
    },
    Status { number: "4", proxied: "Terraform's own", shim: "`check`: no verdict possible" },
    Status {
        number: "64",
        proxied: "Terraform's own",
        shim: "wrong usage: the syntax of flags and of REF",
    },
    Status { number: "124", proxied: "Terraform's own", shim: "`check`: timed out" },
    Status {
        number: "125",
        proxied: "refused or failed; **Terraform was not started**",
        shim: "configuration or store unusable",
    },
    Status { number: "126", proxied: "the real binary is not executable", shim: "the same" },
    Status { number: "127", proxied: "the real binary was not found", shim: "the same" },
    Status {
        number: "a signal",
        proxied: "Terraform ended by it, and so does `tf`",
        shim: "`tf` was ended by it",
    },
];
