//! Start files of shells: which ones, and what goes into them.
//!
//! bash reads `~/.bashrc` where it is interactive and no login shell, and only the first of
//! `~/.bash_profile`, `~/.bash_login` and `~/.profile` where it is one (bash 5.2, INVOCATION). So where
//! the latter does not lead to the former, it gets the line for `PATH` as well. zsh reads `.zshrc` in both
//! cases, fish `config.fish` always.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::error::install::InstallError;
use crate::model::shell::{Shell, path_of_word, path_word};
use crate::sys::{edit, file};

use super::block::{self, Without};
use super::{absolute, step, typed};

/// What start files are to lead to.
pub(super) struct Target<'a> {
    /// The directory of the links.
    pub(super) directory: &'a Path,
    /// The program.
    pub(super) program: &'a Path,
    /// The user's home.
    pub(super) home: Option<&'a Path>,
    /// The user's shell.
    pub(super) shell: Option<Shell>,
}

/// What is done to a start file.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    /// Which file.
    pub(crate) path: PathBuf,
    /// What.
    pub(crate) action: EditAction,
    /// What it was; none where there was none.
    old: Option<Vec<u8>>,
    /// What it becomes; none where it goes.
    new: Option<Vec<u8>>,
}

impl Edit {
    /// The lines that it writes.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = block::lines_in(self.new.as_deref().unwrap_or_default());
        let lines = lines.into_iter().filter(|line| !line.is_empty());
        lines.map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }
}

#[cfg(test)]
impl Edit {
    /// An edit to be shown.
    pub(crate) fn sample(path: &str, action: EditAction) -> Self {
        Self { path: path.into(), action, old: None, new: None }
    }
}

/// What is done to a start file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EditAction {
    /// It is made, with our block alone.
    Create,
    /// Our block is put in, or replaced.
    Put,
    /// Our block is there.
    Keep,
    /// Our block is taken out.
    TakeOut,
    /// It is removed: we had made it, and nothing else is in it.
    Remove,
}

/// What a file gets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The line for `PATH`.
    Path,
    /// That, and completion.
    All,
}

/// What has to be done to the start files of the user's shell.
///
/// # Errors
/// There is no home; one of them cannot be read or written, or was left half edited.
pub(super) fn plan(target: &Target<'_>) -> Result<Vec<Edit>, InstallError> {
    let home = target.home.ok_or(InstallError::NoHome)?;
    let mut edits = Vec::new();
    for (path, part) in files(target.shell, home)? {
        let old = read(&path)?;
        let lines = lines_of_block(target, part);
        let new = block::put(old.as_deref(), &lines)
            .map_err(|block::Endless| InstallError::Endless { path: path.clone() })?;
        let action = match &old {
            None => EditAction::Create,
            Some(old) if *old == new => EditAction::Keep,
            Some(_) => EditAction::Put,
        };
        match action {
            EditAction::Put => probe(&path)?,
            EditAction::Create => probe_new(&path)?,
            EditAction::Keep | EditAction::TakeOut | EditAction::Remove => {}
        }
        edits.push(Edit { path, action, old, new: Some(new) });
    }
    Ok(edits)
}

/// Finds out whether a file can be written, and the copy beside it.
fn probe(path: &Path) -> Result<(), InstallError> {
    edit::probe(path).map_err(|source| step("write", path, source))?;
    let copy = edit::copy_of(path);
    let beside = copy.parent().unwrap_or(Path::new("/"));
    probe_directory(beside)
        .map_err(|source| step("make the copy that an edit needs,", &copy, source))
}

fn probe_directory(directory: &Path) -> io::Result<()> {
    let refused = || io::Error::other(format!("you may not write in `{}`", directory.display()));
    file::takes_files(directory).then_some(()).ok_or_else(refused)
}

/// Finds out whether a file that is not there can be made.
fn probe_new(path: &Path) -> Result<(), InstallError> {
    if let Ok(target) = std::fs::read_link(path) {
        return Err(InstallError::LeadsNowhere { path: path.to_owned(), target });
    }
    let above = path.ancestors().skip(1).find(|above| above.exists());
    let above = above.unwrap_or(Path::new("/"));
    probe_directory(above).map_err(|source| step("make", path, source))
}

/// What has to be done to a start file so that nothing of ours is left in it; none where nothing is.
///
/// # Errors
/// It cannot be read, or was left half edited.
pub(super) fn plan_removal(path: &Path) -> Result<Option<Edit>, InstallError> {
    // Where a start file would be, a directory is none, and holds nothing of ours.
    if path.is_dir() {
        return Ok(None);
    }
    let Some(old) = read(path)? else { return Ok(None) };
    let rest = block::take_out(&old)
        .map_err(|block::Endless| InstallError::Endless { path: path.to_owned() })?;
    let (action, new) = match rest {
        Without::Nothing => return Ok(None),
        Without::Rest(rest) => (EditAction::TakeOut, Some(rest)),
        Without::Remove => (EditAction::Remove, None),
    };
    Ok(Some(Edit { path: path.to_owned(), action, old: Some(old), new }))
}

/// The directories that our blocks in a file put on `PATH`.
pub(super) fn directories_in(edit: &Edit, home: Option<&Path>) -> Vec<PathBuf> {
    let home = home.map(|home| home.as_os_str().as_bytes());
    let fish = (b"test \"$PATH[1]\" = ".as_slice(), Some(Shell::Fish));
    let lines = block::lines_in(edit.old.as_deref().unwrap_or_default());
    let named = lines.into_iter().filter_map(|line| {
        [(b"case $PATH: in ".as_slice(), None), fish]
            .into_iter()
            .find_map(|(start, shell)| path_of_word(line.strip_prefix(start)?, home, shell))
    });
    named.map(|path| PathBuf::from(OsStr::from_bytes(&path))).filter(|p| p.is_absolute()).collect()
}

/// The numbers of the lines outside our blocks that name one of these directories, comments left out.
pub(super) fn lines_naming(
    path: &Path,
    directories: &[PathBuf],
    home: Option<&Path>,
) -> Vec<usize> {
    let text = edit::read(path).ok().flatten().unwrap_or_default();
    let text = match block::take_out(&text) {
        Ok(Without::Rest(rest)) => rest,
        Ok(Without::Remove) => return Vec::new(),
        Ok(Without::Nothing) | Err(block::Endless) => text,
    };
    let names: Vec<Vec<u8>> = directories.iter().flat_map(|path| names_of(path, home)).collect();
    let holds = |line: &[u8]| {
        let is_name = |name: &Vec<u8>| line.windows(name.len()).any(|part| part == name);
        !line.trim_ascii_start().starts_with(b"#") && names.iter().any(is_name)
    };
    let lines = text.split(|byte| *byte == b'\n').enumerate();
    lines.filter(|(_, line)| holds(line)).map(|(at, _)| at + 1).collect()
}

/// How a directory may be written in a start file.
fn names_of(directory: &Path, home: Option<&Path>) -> Vec<Vec<u8>> {
    let bytes = |path: &Path| path.as_os_str().as_bytes().to_vec();
    let mut names = vec![bytes(directory)];
    if let Some(rest) = home.and_then(|home| directory.strip_prefix(home).ok()) {
        let starts = [&b"$HOME/"[..], b"${HOME}/", b"~/"];
        names.extend(starts.iter().map(|start| [start, bytes(rest).as_slice()].concat()));
    }
    names
}

/// Does it.
///
/// # Errors
/// The file cannot be written, or changed meanwhile.
pub(super) fn carry_out(edit: &Edit) -> Result<(), InstallError> {
    let path = &edit.path;
    let (old, new) =
        (edit.old.as_deref().unwrap_or_default(), edit.new.as_deref().unwrap_or_default());
    let (what, done) = match edit.action {
        EditAction::Keep => return Ok(()),
        EditAction::Create => ("make", edit::create(path, new)),
        EditAction::Put | EditAction::TakeOut => ("write", edit::replace(path, old, new)),
        EditAction::Remove => ("remove", std::fs::remove_file(path)),
    };
    match done {
        // Two at once want the same.
        Err(_) if edit.new.is_some() && edit::read(path).ok().flatten() == edit.new => Ok(()),
        done => done.map_err(|source| step(what, path, source)),
    }
}

/// Every start file that we may have edited, whatever the shell is now.
pub(super) fn all(home: &Path) -> Vec<PathBuf> {
    let names = [".bashrc", ".bash_profile", ".bash_login", ".profile", ".zshrc"];
    let mut paths: Vec<PathBuf> = names.iter().map(|name| home.join(name)).collect();
    paths.extend([zshrc(home), config_fish(home)]);
    paths.dedup();
    paths
}

/// The file that the lines for people are meant for.
pub(super) fn first(target: &Target<'_>) -> Option<PathBuf> {
    files(target.shell, target.home?).ok()?.into_iter().next().map(|(path, _)| path)
}

/// What a person puts into the start file, as shown.
pub(super) fn lines(target: &Target<'_>) -> Vec<String> {
    let directory = word(target, target.directory);
    let program = typed(target.program, target.home, target.shell);
    let program = program.to_string_lossy();
    // A word that ends in a quote goes on inside it.
    let path = match directory.strip_suffix('"') {
        Some(open) => format!("{open}:$PATH\""),
        None => format!("{directory}:\"$PATH\""),
    };
    match target.shell {
        Some(Shell::Fish) => vec![
            format!("set -gx PATH {directory} $PATH"),
            format!("{program} shim completion fish | source"),
        ],
        Some(shell @ (Shell::Bash | Shell::Zsh)) => vec![
            format!("export PATH={path}"),
            format!("eval \"$({program} shim completion {})\"", shell.word()),
        ],
        None => vec![format!("PATH={path}; export PATH")],
    }
}

/// The start files, the one that matters most first.
fn files(shell: Option<Shell>, home: &Path) -> Result<Vec<(PathBuf, Part)>, InstallError> {
    Ok(match shell {
        Some(Shell::Zsh) => vec![(zshrc(home), Part::All)],
        Some(Shell::Fish) => vec![(config_fish(home), Part::All)],
        None => vec![(home.join(".profile"), Part::Path)],
        Some(Shell::Bash) => {
            let names = [".bash_profile", ".bash_login", ".profile"];
            let there = names.iter().map(|name| home.join(name)).find(|path| path.exists());
            let login = there.unwrap_or_else(|| home.join(".profile"));
            let leads_on = read(&login)?.is_some_and(|text| reads_bashrc(&text));
            let login = (!leads_on).then_some((login, Part::Path));
            std::iter::once((home.join(".bashrc"), Part::All)).chain(login).collect()
        }
    })
}

fn zshrc(home: &Path) -> PathBuf {
    absolute("ZDOTDIR").unwrap_or_else(|| home.to_owned()).join(".zshrc")
}

fn config_fish(home: &Path) -> PathBuf {
    let config = absolute("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
    config.join("fish/config.fish")
}

/// Whether a login file mentions `.bashrc` outside a comment; that it reads it is a guess, and the usual case.
fn reads_bashrc(text: &[u8]) -> bool {
    let is_it = |line: &[u8]| {
        let line = line.trim_ascii_start();
        !line.starts_with(b"#") && line.windows(6).any(|part| part == b"bashrc")
    };
    text.split(|byte| *byte == b'\n').any(is_it)
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, InstallError> {
    let copy = edit::copy_of(path);
    if copy.exists() {
        return Err(InstallError::CutOff { copy, file: path.to_owned() });
    }
    edit::read(path).map_err(|source| step("read", path, source))
}

fn word(target: &Target<'_>, path: &Path) -> String {
    String::from_utf8_lossy(&word_bytes(target, path)).into_owned()
}

fn word_bytes(target: &Target<'_>, path: &Path) -> Vec<u8> {
    let home = target.home.map(|home| home.as_os_str().as_bytes());
    path_word(path.as_os_str().as_bytes(), home, target.shell)
}

/// What goes between the first and the last line of a block.
fn lines_of_block(target: &Target<'_>, part: Part) -> Vec<u8> {
    let (directory, program) =
        (word_bytes(target, target.directory), word_bytes(target, target.program));
    let (directory, program) = (directory.as_slice(), program.as_slice());
    // A here-document that has no end would run what stands between backticks.
    let note: &[u8] =
        b"# By tf shim install --edit. Do not edit: tf shim uninstall takes it all out.\n";
    let path: Vec<&[u8]> = match target.shell {
        Some(Shell::Fish) => {
            vec![b"test \"$PATH[1]\" = ", directory, b"; or set -gx PATH ", directory, b" $PATH\n"]
        }
        Some(Shell::Bash | Shell::Zsh) | None => vec![
            b"case $PATH: in ",
            directory,
            b":*) ;; *) PATH=",
            directory,
            b":$PATH; export PATH ;; esac\n",
        ],
    };
    let shell = target.shell.map_or("", Shell::word).as_bytes();
    let completion: Vec<&[u8]> = match target.shell {
        None => Vec::new(),
        // Completion is for people; in a script it would only take time.
        Some(Shell::Fish) => vec![
            b"if status is-interactive; and test -x ",
            program,
            b"\n    ",
            program,
            b" shim completion fish 2>/dev/null | source\nend\n",
        ],
        Some(Shell::Bash | Shell::Zsh) => vec![
            b"case $- in *i*) if [ -x ",
            program,
            b" ]; then eval \"$(",
            program,
            b" shim completion ",
            shell,
            b" 2>/dev/null)\"; fi ;; esac\n",
        ],
    };
    let completion = if part == Part::All { completion.concat() } else { Vec::new() };
    [note, &path.concat(), &completion].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(shell: Option<Shell>) -> Target<'static> {
        Target {
            directory: Path::new("/home/ana/.local/share/tf-shim/bin"),
            program: Path::new("/opt/it's/tf"),
            home: Some(Path::new("/home/ana")),
            shell,
        }
    }

    #[test]
    fn lines_for_people_are_short() {
        assert_eq!(
            lines(&target(Some(Shell::Bash))),
            [
                "export PATH=\"$HOME/.local/share/tf-shim/bin:$PATH\"",
                "eval \"$('/opt/it'\\''s/tf' shim completion bash)\"",
            ]
        );
        let elsewhere = Target { directory: Path::new("/opt/x"), ..target(None) };
        assert_eq!(lines(&elsewhere), ["PATH=/opt/x:\"$PATH\"; export PATH"]);
        assert_eq!(
            lines(&target(Some(Shell::Fish)))[0],
            "set -gx PATH \"$HOME/.local/share/tf-shim/bin\" $PATH"
        );
    }

    #[test]
    fn a_login_file_leads_to_bashrc_where_it_says_so() {
        assert!(reads_bashrc(b"if [ -f ~/.bashrc ]; then\n  . ~/.bashrc\nfi\n"));
        assert!(!reads_bashrc(b"# see ~/.bashrc\nexport A=1\n"));
    }
}
