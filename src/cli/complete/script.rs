//! The scripts that `tf shim completion` prints: those of `contrib/completions`, which know where we are.
//!
//! The files there are the source, so that they cannot be old. Installed as they are, by a package, they
//! look for `tf` on `PATH`; what we print names the program, because another `tf` may come first there.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::model::shell::{Shell, quoted};

const BASH: &str = include_str!("../../../contrib/completions/tf.bash");
const ZSH: &str = include_str!("../../../contrib/completions/_tf");
const FISH: &str = include_str!("../../../contrib/completions/tf.fish");

/// The script of a shell. `program` is where we are; none where that is not known.
pub(in crate::cli) fn script(shell: Shell, program: Option<&Path>) -> Vec<u8> {
    let (text, setting) = match shell {
        Shell::Bash => (BASH, "__tf_shim_program="),
        Shell::Zsh => (ZSH, "__tf_shim_program="),
        Shell::Fish => (FISH, "set -g __tf_shim_program "),
    };
    let empty = format!("\n{setting}''\n");
    let (Some((before, after)), Some(program)) = (text.split_once(&empty), program) else {
        return text.as_bytes().to_vec();
    };
    let quoted = quoted(program.as_os_str().as_bytes(), Some(shell));
    let line = [b"\n", setting.as_bytes(), &quoted, b"\n"].concat();
    [before.as_bytes(), &line, after.as_bytes()].concat()
}
