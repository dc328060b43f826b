//! Fidelity: the same invocation with the real Terraform and through the shim, and nothing that differs
//! but what `docs/fidelity.md` lists.

use std::sync::LazyLock;

use shim_tests::twins::Worlds;

mod ends;
mod exceptions;
mod matrix;
mod page;
mod random;

/// The worlds, made once; none, with a message, where there is no Terraform.
static WORLDS: LazyLock<Option<Worlds>> = LazyLock::new(Worlds::make);

/// Returns the worlds.
#[expect(clippy::print_stdout, reason = "a skipped test says so where the test run shows it")]
fn worlds() -> Option<&'static Worlds> {
    let worlds = WORLDS.as_ref();
    if worlds.is_none() {
        println!("skipped: no terraform on PATH");
    }
    worlds
}
