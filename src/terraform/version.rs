//! Which program the real binary is, and which version of it.

use std::ffi::OsStr;

use super::{Limits, Terraform, TerraformError};

/// What keeps `version` off the network and from installing anything: Terraform asks a server for newer
/// versions unless told not to (its `command/version.go`, 1.11.4), and version managers may download the
/// version that is missing (the documentation of tfenv 3.0 and tenv 4).
const STAY_HERE: &[(&str, &str)] =
    &[("CHECKPOINT_DISABLE", "1"), ("TFENV_AUTO_INSTALL", "false"), ("TENV_AUTO_INSTALL", "false")];

/// A program and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// `Terraform` or `OpenTofu`.
    pub(crate) product: String,
    /// As `1.11.4`.
    pub(crate) number: String,
}

impl Version {
    /// Reads the first line of `version`: `Terraform v1.11.4`, `OpenTofu v1.10.7`.
    fn of(text: &str) -> Option<Self> {
        let mut lines = text.lines().filter_map(|line| line.split_once(" v"));
        let (product, number) =
            lines.find(|(product, _)| matches!(*product, "Terraform" | "OpenTofu"))?;
        let number = number.split_whitespace().next()?;
        Some(Self { product: product.to_owned(), number: number.to_owned() })
    }

    /// Whether a state that says it was written by `other` comes from a newer Terraform than this one.
    /// Never for `OpenTofu`: a state does not say which of the two wrote it, and they count apart.
    pub(crate) fn is_older_than(&self, other: &str) -> bool {
        let numbers = |text: &str| {
            let release = text.split(['-', '+']).next().unwrap_or_default();
            let parts: Option<Vec<u64>> =
                release.split('.').map(|part| part.parse().ok()).collect();
            parts
        };
        match (self.product.as_str(), numbers(&self.number), numbers(other)) {
            ("Terraform", Some(own), Some(other)) => own < other,
            _ => false,
        }
    }
}

impl Terraform {
    /// Asks the real binary for its version; no network, nothing installed.
    ///
    /// # Errors
    /// As [`Terraform::ask_for`]; or what it says is no version.
    pub(crate) fn version(&self, limits: Limits<'_>) -> Result<Version, TerraformError> {
        let set: Vec<_> =
            STAY_HERE.iter().map(|(name, value)| (*name, OsStr::new(*value))).collect();
        let said = self.ask_aside(&["version"], &set, limits)?;
        let said = super::without_colours(&String::from_utf8_lossy(&said));
        Version::of(&said).ok_or_else(|| TerraformError::Failed {
            what: format!("{} version", self.real().name()),
            status: Some(0),
            message: "what it says is no version".to_owned(),
            stderr: String::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_names_program_and_version() {
        let terraform = Version::of("Terraform v1.11.4\non linux_amd64\n").unwrap();
        assert_eq!(
            (terraform.product.as_str(), terraform.number.as_str()),
            ("Terraform", "1.11.4")
        );
        let tofu = Version::of("a line of a wrapper\nOpenTofu v1.10.7\n").unwrap();
        assert_eq!(tofu.product, "OpenTofu");
        assert_eq!(Version::of("bash: terraform: not found"), None);
    }

    #[test]
    fn versions_compare_as_numbers_and_only_for_terraform() {
        let version = |product: &str, number: &str| Version {
            product: product.to_owned(),
            number: number.to_owned(),
        };
        let found = version("Terraform", "1.9.4");
        assert!(found.is_older_than("1.11.4") && found.is_older_than("1.9.10"));
        assert!(!found.is_older_than("1.9.4") && !found.is_older_than("1.8.0"));
        assert!(!found.is_older_than("1.9.4-rc1") && !found.is_older_than(""));
        assert!(!version("OpenTofu", "1.6.0").is_older_than("1.11.4"));
    }
}
