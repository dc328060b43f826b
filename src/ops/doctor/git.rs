//! Whether git keeps what it should not, and leaves out what it should keep.
//!
//! `git` itself is asked, because only it knows all the places that ignore a file. It is run so that it
//! changes nothing and starts nothing: no optional locks, no file system monitor, no prompt, and none of the
//! caller's `GIT_*`, which a hook has and which mean another repository.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use crate::config::repository_top;
use crate::sys::file::read_small;
use crate::sys::helper::{Answer, MOST_INPUT_BYTES, Question};

use super::super::shell;
use super::ignored::{self, Wanted};
use super::module::Module;
use super::{Ailment, Chart, MOST_SAID, PATIENCE, be, named, path};

/// What belongs into the repository, where it is there.
const TO_BE_COMMITTED: [&str; 2] = [".terraform.lock.hcl", ".tf-shim.passport.json"];
/// Larger files of patterns are not looked at. In bytes.
const MOST_PATTERNS: u64 = 1 << 20;
/// What git is told before its command, in every call.
const CALMED: [&str; 3] = ["--no-pager", "-c", "core.fsmonitor=false"];

/// What it finds in its environment: no lock that is not needed, no prompt, words that we know.
const SET: [(&str, &str); 3] =
    [("GIT_OPTIONAL_LOCKS", "0"), ("GIT_TERMINAL_PROMPT", "0"), ("LC_ALL", "C")];

/// The repository.
pub(crate) struct GitFacts {
    /// Its top.
    pub(crate) top: PathBuf,
}

/// A conversation with git in one directory.
struct Git<'a> {
    program: PathBuf,
    directory: &'a Path,
}

/// Looks at the repository that the root module is in; none where there is none.
pub(super) fn look(
    directory: &Path,
    module: Option<&Module>,
    chart: &mut Chart,
) -> Option<GitFacts> {
    let directory = &directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    let top = repository_top(directory)?.to_owned();
    let Some(program) = path::find("git") else {
        chart.skip("git", "there is no git on PATH");
        return Some(GitFacts { top });
    };
    let git = Git { program, directory };
    match git.tracked(module) {
        Ok(tracked) => {
            judge_tracked(&tracked, directory, chart);
            if module.is_some_and(|module| module.is_one) {
                judge_ignored(&git, module, &tracked, chart);
                judge_committed(&git, chart);
            }
        }
        Err(Refusal::Owner) => {
            let what = format!("`{}` belongs to somebody else, and git refuses it", top.display());
            let allow = format!("git config --global --add safe.directory {}", shell::word(&top));
            chart.mend(Ailment::GitRefuses, what, allow);
            chart.skip("git", "it refuses the repository");
        }
        Err(Refusal::Other(why)) => chart.skip("git", why),
    }
    Some(GitFacts { top })
}

/// Whether the repository of a directory ignores a path in it, there or not; not, where git cannot be asked.
pub(super) fn ignores(directory: &Path, path: &Path) -> bool {
    let Some(program) = path::find("git") else { return false };
    // A pattern that ends with a slash only means directories that are there, so it is a file in it.
    let file = path.join("FORMAT");
    let command = [OsStr::new("check-ignore"), OsStr::new("-q"), OsStr::new("--no-index")];
    let arguments: Vec<&OsStr> =
        command.into_iter().chain([OsStr::new("--"), file.as_os_str()]).collect();
    let answer = Git { program, directory }.ask(&arguments, b"");
    answer.is_ok_and(|answer| answer.status == Some(0))
}

/// Why git did not answer.
enum Refusal {
    /// The repository belongs to another user (`safe.directory`, git 2.35.2).
    Owner,
    /// Anything else, in one line.
    Other(String),
}

impl Git<'_> {
    fn ask(&self, arguments: &[&OsStr], input: &[u8]) -> Result<Answer, Refusal> {
        let calmed = CALMED.iter().map(OsStr::new);
        let arguments: Vec<&OsStr> = calmed.chain(arguments.iter().copied()).collect();
        let question = Question {
            program: &self.program,
            arguments: &arguments,
            directory: self.directory,
            input,
            without: &["GIT_"],
            set: &SET.map(|(name, value)| (OsStr::new(name), OsStr::new(value))),
            patience: PATIENCE,
            most_bytes: MOST_SAID,
        };
        let answer = question.ask().map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => Refusal::Other("git did not answer in time".to_owned()),
            _ => Refusal::Other(format!("git cannot be asked: {error}")),
        })?;
        let said = String::from_utf8_lossy(&answer.stderr);
        match answer.status {
            // `check-ignore` ends with 1 where nothing is ignored.
            Some(0 | 1) => Ok(answer),
            _ if said.contains("dubious ownership") => Err(Refusal::Owner),
            _ => {
                let line =
                    said.lines().find(|line| !line.trim().is_empty()).unwrap_or("no message");
                Err(Refusal::Other(format!("git failed: {}", line.trim())))
            }
        }
    }

    /// The tracked files among those that match, absolute.
    fn listed(&self, patterns: &[OsString]) -> Result<Vec<PathBuf>, Refusal> {
        let command = ["ls-files", "-z", "--cached", "--"].map(OsStr::new);
        let arguments: Vec<&OsStr> =
            command.into_iter().chain(patterns.iter().map(OsString::as_os_str)).collect();
        let said = self.ask(&arguments, b"")?.stdout;
        let mut files: Vec<_> = names(&said).map(|name| self.directory.join(name)).collect();
        files.sort_unstable();
        files.dedup();
        Ok(files)
    }

    /// States, copies of states, plans and Terraform's own directory, where git tracks them.
    fn tracked(&self, module: Option<&Module>) -> Result<Vec<PathBuf>, Refusal> {
        let fixed =
            ["*.tfstate", "*.tfstate.*", "*.tfstate.d/**", ".terraform/**", "*.tfplan", "tfplan"];
        let mut patterns: Vec<OsString> =
            fixed.iter().map(|pattern| format!(":(glob){pattern}").into()).collect();
        let lying = module.map(|module| module.lying.states.iter().chain(&module.lying.plans));
        let data = module.map(|module| &module.setting.data);
        let state = module.and_then(Module::state_file).map(Path::to_owned);
        let here = lying.into_iter().flatten().chain(data).cloned().chain(state);
        patterns.extend(here.filter_map(|path| self.inside(&path)).map(|path| {
            let mut literal = OsString::from(":(literal)");
            literal.push(path);
            literal
        }));
        self.listed(&patterns)
    }

    /// A path from the root module, where it is below it: git refuses others.
    fn inside(&self, path: &Path) -> Option<PathBuf> {
        let path = path.canonicalize().ok()?;
        path.strip_prefix(self.directory).ok().map(Path::to_owned)
    }

    /// Which of these paths, given from the root module, are not ignored.
    fn not_ignored<'p>(&self, paths: &[&'p str]) -> Result<Vec<&'p str>, Refusal> {
        let input = paths.iter().flat_map(|path| [path.as_bytes(), b"\0"]).flatten().copied();
        let input: Vec<u8> = input.take(MOST_INPUT_BYTES).collect();
        let command = ["check-ignore", "-z", "--stdin", "--no-index"].map(OsStr::new);
        let said = self.ask(&command, &input)?.stdout;
        let ignored: Vec<_> = names(&said).collect();
        let is_ignored = |path: &&str| ignored.iter().any(|name| name == Path::new(path));
        Ok(paths.iter().copied().filter(|path| !is_ignored(path)).collect())
    }
}

fn names(said: &[u8]) -> impl Iterator<Item = PathBuf> {
    let names = said.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names.map(|name| PathBuf::from(OsString::from_vec(name.to_vec())))
}

fn judge_tracked(tracked: &[PathBuf], directory: &Path, chart: &mut Chart) {
    if tracked.is_empty() {
        return;
    }
    let what = format!("git tracks {}", named(tracked, directory));
    let files = tracked.iter().map(|path| path.strip_prefix(directory).unwrap_or(path));
    // They stay where they are; only git forgets them.
    let git =
        format!("git -C {} rm --cached -q -- {}", shell::word(directory), shell::words(files));
    chart.mend(Ailment::StateTracked, what, git);
}

fn judge_ignored(git: &Git<'_>, module: Option<&Module>, tracked: &[PathBuf], chart: &mut Chart) {
    let Some(module) = module else { return };
    let wanted: Vec<Wanted> = ignored::wanted(module, git.directory);
    let samples: Vec<&str> = wanted.iter().map(|wanted| wanted.sample.as_str()).collect();
    let missing = match git.not_ignored(&samples) {
        Ok(missing) => missing,
        Err(Refusal::Other(why)) => return chart.skip("gitignore", why),
        Err(Refusal::Owner) => return,
    };
    let missing: Vec<&Wanted> =
        wanted.iter().filter(|wanted| missing.contains(&wanted.sample.as_str())).collect();
    let mut lines: Vec<&str> = missing.iter().map(|wanted| wanted.line.as_str()).collect();
    lines.sort_unstable();
    lines.dedup();
    if lines.is_empty() {
        return;
    }
    let file = git.directory.join(".gitignore");
    // What is added must not become part of a last line without an end.
    let is_cut = read_small(&file, MOST_PATTERNS)
        .is_ok_and(|text| text.last().is_some_and(|end| *end != b'\n'));
    let quoted = shell::words(is_cut.then_some("").into_iter().chain(lines.iter().copied()));
    let add = format!("printf '%s\\n' {quoted} >> {}", shell::word(&file));
    let present: Vec<PathBuf> = missing
        .iter()
        .filter(|wanted| wanted.is_there)
        .map(|wanted| git.directory.join(&wanted.sample))
        .filter(|path| !tracked.contains(path))
        .collect();
    if present.is_empty() {
        let what = format!("`.gitignore` has no line for {}", lines.join(" "));
        return chart.mend(Ailment::Gitignore, what, add);
    }
    let what =
        format!("{} {} not ignored by git", named(&present, git.directory), be(present.len()));
    chart.mend(Ailment::StateNotIgnored, what, add);
}

fn judge_committed(git: &Git<'_>, chart: &mut Chart) {
    let there = TO_BE_COMMITTED.iter().filter(|name| git.directory.join(name).is_file());
    for name in there {
        let Ok(tracked) = git.listed(&[OsString::from(format!(":(literal){name}"))]) else {
            return;
        };
        if tracked.is_empty() {
            let what = format!("`{name}` is not in the repository");
            // By force: a pattern such as `.terraform*` ignores it.
            let add = format!("git -C {} add -f -- {name}", shell::word(git.directory));
            chart.mend(Ailment::NotCommitted, what, add);
        }
    }
}
