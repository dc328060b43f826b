//! What the start files of shells make of our names.
//!
//! A child cannot see the aliases of the shell that started it. So the files are read in which people keep
//! them, line by line and without running anything: what another file brings in, or a condition keeps
//! out, is not known. `type -a tf terraform tofu` tells for sure, and the screen says so.

use std::path::{Path, PathBuf};

use crate::env;

use super::super::shell;
use super::{Ailment, Chart};

/// Below the home.
const FILES: &[&str] = &[
    ".profile",
    ".bash_profile",
    ".bash_login",
    ".bashrc",
    ".bash_aliases",
    ".zshenv",
    ".zprofile",
    ".zshrc",
    ".config/fish/config.fish",
];
/// Larger ones are no start files. Bytes.
const MOST_BYTES: u64 = 4 << 20;

/// What a line does that matters.
#[derive(Debug, PartialEq, Eq)]
enum Deed {
    /// Gives one of the names another meaning.
    Alias(&'static str),
    /// Turns us off.
    Bypass,
}

/// Reads them.
pub(super) fn look(chart: &mut Chart) {
    for path in files() {
        let is_small = std::fs::metadata(&path).is_ok_and(|f| f.is_file() && f.len() <= MOST_BYTES);
        let text = if is_small { std::fs::read(&path).unwrap_or_default() } else { Vec::new() };
        for (at, line) in String::from_utf8_lossy(&text).lines().enumerate() {
            if let Some(deed) = deed_of(line) {
                judge(&deed, &path, at.saturating_add(1), chart);
            }
        }
    }
}

fn judge(deed: &Deed, path: &Path, line: usize, chart: &mut Chart) {
    let place = format!("`{}:{line}`", path.display());
    let cure = format!("sed -i '{line}s/^/# /' {}", shell::word(path));
    match deed {
        Deed::Alias(name) => {
            let what = format!("{place} gives `{name}` another meaning; see `type -a {name}`");
            chart.mend(Ailment::Alias, what, cure);
        }
        Deed::Bypass => {
            chart.mend(Ailment::Bypass, format!("{place} sets {}", env::BYPASS), cure);
        }
    }
}

fn files() -> Vec<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let Some(home) = absolute("HOME") else { return Vec::new() };
    let zsh =
        absolute("ZDOTDIR").into_iter().flat_map(|dot| [dot.join(".zshenv"), dot.join(".zshrc")]);
    let fish = absolute("XDG_CONFIG_HOME").map(|config| config.join("fish/config.fish"));
    let mut files: Vec<_> =
        FILES.iter().map(|name| home.join(name)).chain(zsh).chain(fish).collect();
    files.sort_unstable();
    files.dedup();
    files
}

/// What one line does. Only the ordinary spellings of bash, zsh and fish; an alias that leads to tf is how
/// it is meant to be.
fn deed_of(line: &str) -> Option<Deed> {
    let line = line.trim();
    let words: Vec<&str> = line.split_whitespace().collect();
    if let Some(rest) = line.strip_prefix("alias ") {
        let mut rest = rest.trim_start();
        while rest.starts_with('-') {
            rest = rest.split_once(' ').map_or("", |(_, rest)| rest.trim_start());
        }
        let (name, value) = rest.split_once(['=', ' '])?;
        let name = ["tf", "terraform", "tofu"].into_iter().find(|known| *known == name)?;
        return (!leads_to_us(value)).then_some(Deed::Alias(name));
    }
    let is_on = |value: &str| {
        let value = value.trim_matches(['\'', '"', ';']);
        !value.is_empty() && value != "0"
    };
    let assigned = words.iter().find_map(|word| word.strip_prefix("TF_SHIM_BYPASS="));
    let is_assignment = matches!(words.first(), Some(&("export" | "typeset" | "declare")));
    let bare = words.first().is_some_and(|first| first.starts_with("TF_SHIM_BYPASS="));
    // In front of a command, it is for that command alone.
    if assigned.is_some_and(is_on) && (is_assignment || (bare && words.len() == 1)) {
        return Some(Deed::Bypass);
    }
    let at = words.iter().position(|word| *word == "TF_SHIM_BYPASS")?;
    let is_set =
        words.first() == Some(&"set") && words.get(at.checked_add(1)?).is_some_and(|v| is_on(v));
    is_set.then_some(Deed::Bypass)
}

/// Whether a command line runs a program called `tf`, behind whatever is set for it.
fn leads_to_us(command: &str) -> bool {
    let command = command.trim_matches(['\'', '"']);
    let words = command.split(|c: char| c.is_whitespace() || "'\"".contains(c));
    words.into_iter().any(|word| word == "tf" || word.ends_with("/tf"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_that_lead_elsewhere_are_noticed() {
        for (line, name) in [
            ("alias tf=terraform", "tf"),
            ("  alias tf='terraform'  # short", "tf"),
            ("alias -g tf=\"TF_VAR_token=x terraform\"", "tf"),
            ("alias terraform=/usr/bin/terraform", "terraform"),
            ("alias tofu terraform", "tofu"),
        ] {
            assert_eq!(deed_of(line), Some(Deed::Alias(name)), "{line}");
        }
        for line in [
            "# alias tf=terraform",
            "alias tfa='terraform apply'",
            "alias terraform='tf'",
            "alias terraform tf",
            "alias tofu=\"env TF_SHIM_REAL='/usr/bin/tofu' tf\"",
            "alias terraform=/opt/bin/tf",
            "",
        ] {
            assert_eq!(deed_of(line), None, "{line}");
        }
    }

    #[test]
    fn a_bypass_for_the_whole_shell_is_noticed() {
        for line in [
            "export TF_SHIM_BYPASS=1",
            "TF_SHIM_BYPASS='1'",
            "set -gx TF_SHIM_BYPASS 1",
            "declare -x TF_SHIM_BYPASS=yes",
        ] {
            assert_eq!(deed_of(line), Some(Deed::Bypass), "{line}");
        }
        for line in [
            "export TF_SHIM_BYPASS=0",
            "export TF_SHIM_BYPASS=",
            "TF_SHIM_BYPASS=1 terraform plan",
            "unset TF_SHIM_BYPASS",
            "# export TF_SHIM_BYPASS=1",
        ] {
            assert_eq!(deed_of(line), None, "{line}");
        }
    }
}
