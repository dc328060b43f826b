//! The environment and the configuration files: ours, and those variables of Terraform's that can undo us.
//!
//! Values are not shown: they may be secret.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::config::{self, ConfigError};
use crate::env;
use crate::proxy::argv::{as_flag, is_false, split};

use super::super::shell;
use super::{Ailment, Chart, Cure, Patient};

/// Looks at all of them.
pub(super) fn look(patient: &Patient<'_>, directory: &Path, chart: &mut Chart) {
    if patient.context.is_none() {
        let home = "export HOME=\"$(getent passwd \"$(id -u)\" | cut -d: -f6)\"";
        chart.mend(Ailment::NoHome, "HOME is not set to an absolute path", home);
    }
    let (faults, variables) = config::faults(directory);
    for name in variables {
        let expected = match name {
            env::STORE => "an absolute path",
            env::ALLOW => "names of state guards, separated by commas",
            _ => "`stop` or `continue`",
        };
        let what = format!("{name} must be {expected}, and is not");
        chart.mend(Ailment::Variable, what, format!("unset {name}"));
    }
    for fault in &faults {
        chart.add(Ailment::Configuration, fault.to_string(), cure_of(fault));
    }
    if std::env::var_os(env::ALLOW).is_some_and(|names| !names.is_empty()) {
        let what = format!("{} is set, and counts for every command", env::ALLOW);
        chart.mend(Ailment::Allow, what, format!("unset {}", env::ALLOW));
    }
    look_at_unknown(chart);
    look_at_arguments(chart);
    look_at_cli_config(chart);
}

/// A setting that this version does not know is put out of force, where it is on a line of its own; for the
/// rest the line is opened.
fn cure_of(fault: &ConfigError) -> Cure {
    let Some((file, line)) = fault.place() else {
        return Cure::Advice("see docs/configuration.md".to_owned());
    };
    if matches!(fault, ConfigError::Unfit { .. }) {
        let mut aside = file.as_os_str().to_owned();
        aside.push(".aside");
        return Cure::Command(format!("mv {}", shell::words([file.as_os_str(), &aside])));
    }
    let Some(line) = line else {
        return Cure::Command(format!("chmod u+r {}", shell::word(file)));
    };
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let text = text.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim();
    let is_setting = matches!(
        fault,
        ConfigError::UnknownKey { .. }
            | ConfigError::ForbiddenKey { .. }
            | ConfigError::Value { .. }
    );
    let goes_on = ["[", "{", ",", "\"\"\"", "'''"].iter().any(|end| text.ends_with(end));
    if is_setting && text.contains('=') && !text.starts_with('[') && !goes_on {
        return Cure::Command(format!("sed -i '{line}s/^/# /' {}", shell::word(file)));
    }
    Cure::Command(format!("\"${{EDITOR:-vi}}\" +{line} {}", shell::word(file)))
}

fn look_at_unknown(chart: &mut Chart) {
    let mut names: Vec<_> = std::env::vars_os().map(|(name, _)| name).collect();
    names.sort_unstable();
    for name in names {
        let is_ours = name.as_bytes().starts_with(env::PREFIX.as_bytes());
        let is_for_tests = name.as_bytes().starts_with(env::TEST_PREFIX.as_bytes());
        if is_ours && !is_for_tests && !env::OURS.iter().any(|known| name == *known) {
            let what = format!("tf does not know `{}`", name.display());
            // What is no name to a shell cannot be unset by it, and is set by none.
            chart.mend(Ailment::UnknownVariable, what, format!("unset {}", shell::word(&name)));
        }
    }
}

fn look_at_arguments(chart: &mut Chart) {
    let mut variables: Vec<_> = std::env::vars_os().collect();
    variables.sort_unstable();
    for (name, value) in variables {
        let rest = name.to_str().and_then(|name| name.strip_prefix(env::TF_CLI_ARGS));
        let is_meant = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
        if !is_meant || value.is_empty() {
            continue;
        }
        let name = name.to_string_lossy().into_owned();
        let Ok(words) = split(&value) else {
            let what = format!("`{name}` cannot be taken apart: a quote or a bracket has no end");
            chart.mend(Ailment::CliArgs, what, format!("unset {}", shell::word(&name)));
            continue;
        };
        if words.iter().any(|word| turns_locking_off(word)) {
            let what = format!("`{name}` has `-lock=false`");
            chart.mend(Ailment::LockOff, what, without_lock(&name, words.len()));
        }
    }
}

fn turns_locking_off(word: &OsStr) -> bool {
    let flag = as_flag(word);
    flag.is_some_and(|(name, value)| name == "lock" && value.is_some_and(|value| is_false(&value)))
}

/// Takes the flag out and leaves the rest, which is not shown.
fn without_lock(name: &str, words: usize) -> String {
    let name = shell::word(name);
    if words == 1 {
        return format!("unset {name}");
    }
    format!(
        "export {name}=\"$(printf %s \"${name}\" | sed -E \"s/(^|[[:space:]])['\\\"]?--?lock=(0|f|F|false|FALSE|False)\
         ['\\\"]?([[:space:]]|\\$)/ /g\")\""
    )
}

fn look_at_cli_config(chart: &mut Chart) {
    let file = std::env::var_os(env::TF_CLI_CONFIG_FILE).filter(|value| !value.is_empty());
    if let Some(file) = file.filter(|file| !Path::new(file).exists()) {
        let what = format!("{} names no file: `{}`", env::TF_CLI_CONFIG_FILE, file.display());
        chart.mend(Ailment::CliConfig, what, format!("unset {}", env::TF_CLI_CONFIG_FILE));
    }
}
