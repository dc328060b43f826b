//! What can go wrong with links and start files.

use std::io;
use std::path::PathBuf;

/// Why something was not installed, or not taken away.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstallError {
    /// There is no place for the links.
    #[error("there is no HOME, so there is no place for the links")]
    NoHome,
    /// The file of the running program has no name any more.
    #[error("the file that this program was started from is gone; there is nothing to link to")]
    NoProgram,
    /// A name is taken.
    #[error("`{}` is {what}, not a link to tf; nothing was changed", path.display())]
    Occupied {
        /// Which.
        path: PathBuf,
        /// What it is, with its article.
        what: String,
    },
    /// The directory cannot be on `PATH`, or not in a start file.
    #[error("`{}` cannot be on PATH: {why}", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// Something could not be done.
    #[error("cannot {what} `{}`", path.display())]
    Step {
        /// What, as a verb.
        what: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A start file is a link to nothing.
    #[error("`{}` is a link to `{}`, which is not there; nothing was changed", path.display(), target.display())]
    LeadsNowhere {
        /// The start file.
        path: PathBuf,
        /// What it leads to.
        target: PathBuf,
    },
    /// A step failed after others were done.
    #[error("not everything was installed{}", listed(made))]
    Halfway {
        /// What is there.
        made: Vec<PathBuf>,
        /// The step that failed.
        source: Box<InstallError>,
    },
    /// An edit was cut off.
    #[error("`{}` was left by an edit that was cut off", copy.display())]
    CutOff {
        /// What the file was before.
        copy: PathBuf,
        /// The file.
        file: PathBuf,
    },
    /// There is a begin of our block and no end.
    #[error("the block of tf-shim in `{}` has no end", path.display())]
    Endless {
        /// Which file.
        path: PathBuf,
    },
}

fn listed(made: &[PathBuf]) -> String {
    let made: Vec<String> = made.iter().map(|path| format!("`{}`", path.display())).collect();
    if made.is_empty() { String::new() } else { format!("; this is there: {}", made.join(", ")) }
}

impl InstallError {
    /// What to do now.
    pub(super) fn hint(&self) -> String {
        match self {
            Self::NoHome => "set HOME, or name a directory: `tf shim install DIR`".to_owned(),
            Self::NoProgram => "run tf by a path that is there".to_owned(),
            Self::Occupied { .. } => {
                "name another directory, one that comes before it on PATH: `tf shim install DIR`"
                    .to_owned()
            }
            Self::Unusable { .. } => "name another directory: `tf shim install DIR`".to_owned(),
            Self::Step { .. } => {
                "see whether you may write there, or name another place".to_owned()
            }
            Self::LeadsNowhere { target, .. } => {
                format!("make `{}`, or remove the link", target.display())
            }
            Self::Halfway { .. } => {
                "mend that and run it again, or take all of it away: `tf shim uninstall`".to_owned()
            }
            Self::CutOff { copy, file } => format!(
                "compare `{}` with it, move the right one into its place, and remove the other",
                file.strip_prefix(copy.parent().unwrap_or(file)).unwrap_or(file).display()
            ),
            Self::Endless { .. } => {
                "take the lines from `# >>> tf-shim` on out yourself, as far as they are ours"
                    .to_owned()
            }
        }
    }
}
