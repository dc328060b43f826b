//! What git has to ignore in a root module, and the line of `.gitignore` that makes it so.

use std::path::{Path, PathBuf};

use super::module::Module;

/// Something that has to be ignored.
pub(super) struct Wanted {
    /// A path that stands for it, from the root module.
    pub(super) sample: String,
    /// The line that ignores it.
    pub(super) line: String,
    /// Whether it is there now.
    pub(super) is_there: bool,
}

/// Everything. Of a remote state no file is expected here but `errored.tfstate` and what really lies about.
pub(super) fn wanted(module: &Module, directory: &Path) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    let mut want = |sample: &str, line: &str, is_there: bool| {
        wanted.push(Wanted { sample: sample.to_owned(), line: line.to_owned(), is_there });
    };
    let lying = module.lying.states.iter().chain(&module.lying.plans).map(PathBuf::as_path);
    let mut found: Vec<String> = lying
        .chain(module.state_file())
        .filter(|path| path.is_file())
        .filter_map(|path| path.canonicalize().ok())
        .filter_map(|path| Some(path.strip_prefix(directory).ok()?.to_str()?.to_owned()))
        .collect();
    found.sort_unstable();
    found.dedup();
    for file in &found {
        want(file, &line_for(file), true);
    }
    let data = module.setting.data.strip_prefix(&module.setting.directory).ok();
    if let Some(data) = data.and_then(Path::to_str) {
        let record = format!("{data}/terraform.tfstate");
        let is_there = module.setting.data.join("terraform.tfstate").is_file();
        want(&record, &format!("{data}/"), is_there);
    }
    want("errored.tfstate", "*.tfstate", false);
    if module.setting.backend.is_local() {
        want("terraform.tfstate", "*.tfstate", false);
        want("terraform.tfstate.backup", "*.tfstate.*", false);
        want(".terraform.tfstate.lock.info", "*.tfstate.*", false);
        want("terraform.tfstate.d/any/terraform.tfstate", "*.tfstate", false);
    }
    wanted
}

/// The pattern that catches a file and its kin; its own name, where it has no kin.
fn line_for(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    if name.ends_with(".tfstate") {
        return "*.tfstate".to_owned();
    }
    if name.contains(".tfstate.") {
        return "*.tfstate.*".to_owned();
    }
    if name.ends_with(".tfplan") {
        return "*.tfplan".to_owned();
    }
    literal(file)
}

/// The pattern of one path from the top, and no other: what means something in a pattern is taken
/// literally (gitignore(5)).
pub(super) fn literal(file: &str) -> String {
    let special = |c: char| "\\*?[]!# ".contains(c);
    let literal = file.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c]));
    literal.fold("/".to_owned(), |mut line, c| {
        line.push(c);
        line
    })
}

#[cfg(test)]
mod tests {
    use super::line_for;

    #[test]
    fn files_are_ignored_with_their_kin_and_odd_names_literally() {
        for (file, line) in [
            ("terraform.tfstate", "*.tfstate"),
            ("sub/x.tfstate.1700.backup", "*.tfstate.*"),
            ("next.tfplan", "*.tfplan"),
            ("plan.out", "/plan.out"),
            ("my [plan]*", r"/my\ \[plan\]\*"),
        ] {
            assert_eq!(line_for(file), line);
        }
    }
}
