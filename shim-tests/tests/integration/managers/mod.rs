//! Whom we call: version managers before us, behind us and both, and never in a circle.
//!
//! The managers are those of `shim_tests::managers`. What must hold in every order: Terraform runs once, the
//! version that the manager alone would have run; a guarded command is one operation; nothing of ours is seen
//! besides.

mod endings;
mod loops;
mod mise;
mod orders;
mod outputs;
mod speed;
mod versions;

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use shim_tests::managers::{Manager, Placed, put, tools};
use shim_tests::{Call, Sandbox, Scenario, Step, programs, states};

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";

/// The version that is chosen, unless a test says otherwise.
const CHOSEN: &str = "1.9.8";

/// What Terraform does in most tests.
fn part() -> Scenario {
    Scenario::terraform()
        .on(["plan"], [Step::stdout("planned\n")])
        .on(["apply"], [Step::write(STATE, states::state(1, &["a"]))])
}

/// Returns a sandbox with a manager, two versions of the fake, and us under three names in `us`. Its `PATH` is
/// for the test to set; `bin` holds a fake that nobody chose.
fn managed(manager: Manager, scenario: Scenario) -> Sandbox {
    let mut sandbox = Sandbox::new().with_fake(scenario);
    let _ = tools(&sandbox);
    manager.install(&sandbox);
    let fake = programs::find("fake-terraform");
    for version in [CHOSEN, "1.11.4"] {
        if manager != Manager::SetupTerraform || version == CHOSEN {
            manager.add(&sandbox, version, &fake, Placed::Copied);
        }
    }
    manager.choose(&sandbox, ".", CHOSEN);
    for (name, value) in manager.variables(&sandbox) {
        sandbox = sandbox.with_variable(name, value);
    }
    us(&sandbox, "us");
    sandbox
}

/// Makes a directory with links to us, named as `tf shim install` names them, and `tf`; returns its path.
fn us(sandbox: &Sandbox, name: &str) -> PathBuf {
    let directory = sandbox.path(name);
    std::fs::create_dir_all(&directory).unwrap();
    for name in ["tf", "terraform", "tofu"] {
        symlink(sandbox.tf_program(), directory.join(name)).unwrap();
    }
    directory
}

/// Where the fake lies that the manager has chosen, links resolved.
fn chosen(manager: Manager, sandbox: &Sandbox) -> PathBuf {
    manager.place_of(sandbox, CHOSEN)
}

/// Which program a call reached.
fn program(call: &Call) -> PathBuf {
    call.program.to_os().into()
}

/// Joins directories to a `PATH`, the tools at its end.
fn path_of(sandbox: &Sandbox, entries: impl IntoIterator<Item = PathBuf>) -> OsString {
    let tools = sandbox.path("tools");
    std::env::join_paths(entries.into_iter().chain([tools])).unwrap()
}

/// Joins the parts of a `PATH`: `us`, `manager`, or a directory of the sandbox.
fn path(sandbox: &Sandbox, manager: Manager, parts: &[&str]) -> OsString {
    let entries = parts.iter().flat_map(|part| match *part {
        "manager" => manager.entries(sandbox),
        other => vec![sandbox.path(other)],
    });
    path_of(sandbox, entries.collect::<Vec<_>>())
}

/// Returns the first program of that name on a `PATH`, as a shell would.
fn first_on(path: &std::ffi::OsStr, name: &str) -> PathBuf {
    let mut programs = std::env::split_paths(path).map(|directory| directory.join(name));
    programs.find(|program| program.exists()).unwrap()
}

/// Puts a fake that nobody chose into a directory, as an installed package would be.
fn system(sandbox: &Sandbox) -> PathBuf {
    let place = sandbox.path("system/terraform");
    put(&place, &programs::find("fake-terraform"), Placed::Copied);
    place
}

/// Replaces the chosen version by a program.
fn choose_instead(manager: Manager, sandbox: &Sandbox, program: &Path) {
    std::fs::remove_file(chosen(manager, sandbox)).unwrap();
    manager.add(sandbox, CHOSEN, program, Placed::Linked);
}

/// Fails unless the command made one operation, of that verb.
#[track_caller]
fn assert_one_operation(sandbox: &Sandbox, verb: &str) {
    let operation = sandbox.history().only();
    assert_eq!((operation.verb(), operation.outcome()), (verb, "done"));
    assert_eq!(operation.after, Some(states::state(1, &["a"]).into_bytes()));
}
