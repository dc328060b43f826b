//! What the processes above us tell where `TF_SHIM_DEPTH` tells nothing: `sudo`, `env -i` and their like drop it.
//!
//! Without the variable a wrapper script and we could start each other without end, and one command could
//! be guarded twice. The processes above cannot be dropped: a script waits there under its own name, a shim
//! that guards is there itself. What is not there is what has become another program; a wrapper that drops the
//! variable *and* replaces itself for a forwarded command leaves no trace that we could find.
//!
//! Never looked at by plain forwarding to a compiled program: it reads `/proc`, a few files per process.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::env;
use crate::sys::file::FileId;
use crate::sys::process::{Own, directory_of, parent_of, variable_of, words_of};

use super::argv::CommandLine;

/// So far up we look.
const LIMIT: usize = 256;

/// So many processes above us that carry our very words, in our directory, are a circle whatever they are.
/// `sudo timeout 9 nohup terraform plan` is three.
const ECHOES: u32 = 8;

/// Behind the interpreter stands the script, and between them at most a flag or two (`execve(2)`, "Interpreter
/// scripts").
const SCRIPT_WITHIN: usize = 3;

/// The processes that led to us, our parent first.
pub(super) fn above() -> impl Iterator<Item = i32> {
    let parent_above = |pid: &i32| if *pid > 1 { parent_of(*pid) } else { None };
    std::iter::successors(Some(Own::read().parent), parent_above).take(LIMIT)
}

/// Whether our parent is an interpreter that runs the script `candidate`. A script that has become Terraform
/// is not one any more, and what Terraform starts is nesting of the right kind.
pub(super) fn parent_runs(candidate: FileId) -> bool {
    words_of(Own::read().parent).is_some_and(|words| is_script(&words, candidate))
}

fn is_script(words: &[OsString], candidate: FileId) -> bool {
    let named = words.iter().skip(1).take(SCRIPT_WITHIN);
    named.map(Path::new).any(|word| word.is_absolute() && FileId::at(word) == Some(candidate))
}

/// Whether calling `candidate` with our words would be what is under way above us already.
pub(super) fn leads_back(candidate: FileId) -> bool {
    let ourselves = FileId::of_ourselves();
    let own: Vec<OsString> = std::env::args_os().skip(1).collect();
    let here = std::env::current_dir().ok();
    let mut echoes = 0;
    for pid in above() {
        let Some(words) = words_of(pid) else { continue };
        if !words.ends_with(&own) || directory_of(pid) != here {
            continue;
        }
        if FileId::of_process(pid) == ourselves || is_script(&words, candidate) {
            return true;
        }
        echoes += u32::from(!own.is_empty());
        if echoes >= ECHOES {
            return true;
        }
    }
    false
}

/// Whether a shim above us guards this very command. It must be this very file, too: of another installation
/// nobody can tell what it is.
pub(super) fn is_guarding(line: &CommandLine) -> bool {
    let ourselves = FileId::of_ourselves();
    let mut shims = above().filter(|pid| FileId::of_process(*pid) == ourselves);
    shims.any(|pid| is_same(pid, line).unwrap_or_default())
}

fn is_same(pid: i32, line: &CommandLine) -> Option<bool> {
    let words = words_of(pid)?;
    let theirs = CommandLine::read(words.get(1..)?).place(&directory_of(pid)?);
    let own = line.place(&std::env::current_dir().ok()?);
    let is_equal = |name: &&str| {
        variable_of(pid, OsStr::new(name)).unwrap_or_default()
            == std::env::var_os(name).unwrap_or_default()
    };
    Some(theirs == own && [env::TF_DATA_DIR, env::TF_WORKSPACE].iter().all(is_equal))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn a_script_stands_behind_its_interpreter() {
        let us = FileId::at(Path::new("/proc/self/exe")).unwrap();
        let path = std::env::current_exe().unwrap();
        let path = path.display();
        assert!(is_script(&words(&format!("bash {path} plan")), us));
        assert!(is_script(&words(&format!("/bin/bash -eu {path}")), us));
        assert!(!is_script(&words(&format!("{path} plan")), us), "it is the program itself");
        assert!(!is_script(&words("terraform plan"), us));
        assert!(!is_script(&words(&format!("terraform fmt a b c {path}")), us));
    }

    #[test]
    fn those_above_us_begin_with_our_parent() {
        let above: Vec<i32> = above().collect();
        assert_eq!(above.first(), Some(&Own::read().parent));
        assert!(!above.contains(&Own::read().pid));
    }
}
