//! What may differ, and nothing else: the exceptions of the contract as data.
//!
//! Each rests on a sentence of the interface (its section 1), takes exactly that out of a comparison,
//! and has an exhibit: a case that differs without it. `docs/fidelity.md` prints the same list.

use std::os::unix::ffi::OsStrExt;

use crate::Bytes;
use crate::scenario::{Scenario, Step};
use crate::states;

use super::case::{Case, Input, Output};
use super::seen::{Depth, Seen};
use super::worlds::World;

/// One thing that may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exception {
    /// A variable is in the environment.
    Variable,
    /// Closed standard streams are the null device.
    ClosedStreams,
    /// SIGPIPE is not ignored.
    PipeSignal,
    /// A guarded command has a store.
    Store,
    /// A guarded Terraform is a child.
    Parent,
    /// A guarded command on a remote state is looked at twice more.
    Looks,
    /// Talk, where it is wanted.
    Talk,
    /// A finding after the run.
    Finding,
    /// A refusal.
    Refusal,
    /// A refusal of what is no state.
    Guard,
    /// Our own word.
    Word,
}

impl Exception {
    /// All of them, in the order of the page.
    pub const ALL: &[Self] = &[
        Self::Variable,
        Self::ClosedStreams,
        Self::PipeSignal,
        Self::Store,
        Self::Parent,
        Self::Looks,
        Self::Talk,
        Self::Finding,
        Self::Refusal,
        Self::Guard,
        Self::Word,
    ];

    /// What differs, and for which commands: one sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Variable => "`TF_SHIM_DEPTH` is in the environment.",
            Self::ClosedStreams => "Descriptors 0 to 2 that were closed are `/dev/null`.",
            Self::PipeSignal => "An ignored SIGPIPE is back to its default.",
            Self::Store => "A guarded command saves the state before and after: there is a store.",
            Self::Parent => {
                "A guarded Terraform is a child of `tf`, not the process that was started."
            }
            Self::Looks => "A guarded command reads a remote state before and after.",
            Self::Talk => {
                "A guarded command talks on stderr where that is a terminal, or with `TF_SHIM_TALK=1`."
            }
            Self::Finding => {
                "A finding after a guarded command is told on stderr; the status stays Terraform's."
            }
            Self::Refusal => {
                "Where the state cannot be saved first, Terraform is not started: status 125."
            }
            Self::Guard => {
                "What is no state is refused with 125, where Terraform fails on it with status 1."
            }
            Self::Word => "`tf shim` is a command of ours; to Terraform it is an unknown word.",
        }
    }

    /// A case that differs, and would not be excused without this.
    #[must_use]
    pub fn exhibit(self) -> Case {
        let shown = |world, line| Case::new(world, line);
        match self {
            Self::Variable => shown(World::Empty, "plan").fake(Scenario::new()),
            Self::ClosedStreams => {
                shown(World::Empty, "plan").behind(super::Behind::Teller).input(Input::Closed)
            }
            Self::PipeSignal => {
                shown(World::Empty, "plan").behind(super::Behind::Teller).ignoring("PIPE")
            }
            Self::Store => shown(World::Applied, "apply -auto-approve"),
            Self::Parent => {
                shown(World::Empty, "apply").fake(Scenario::terraform().on(["apply"], []))
            }
            Self::Looks => shown(World::Http, "taint terraform_data.a"),
            Self::Talk => shown(World::Applied, "taint terraform_data.a").env("TF_SHIM_TALK", "1"),
            Self::Finding => {
                let emptied =
                    Step::write("terraform.tfstate", states::state(9, &[])[..9].to_owned());
                shown(World::Applied, "apply").fake(Scenario::terraform().on(["apply"], [emptied]))
            }
            Self::Refusal => {
                shown(World::Applied, "apply -auto-approve").env("TF_SHIM_STORE", "/dev/null/store")
            }
            Self::Guard => shown(World::HalfState, "apply -auto-approve"),
            Self::Word => shown(World::Applied, "shim version"),
        }
    }

    /// Takes out of both what this allows. What is not asked for by the case stays.
    pub fn excuse(self, case: &Case, plain: &mut Seen, shimmed: &mut Seen) {
        match self {
            Self::Variable => {
                for sight in &mut shimmed.sights {
                    sight.environment.retain(|(name, _)| name.0 != b"TF_SHIM_DEPTH");
                }
            }
            Self::ClosedStreams if is_odd(case) => {
                retell(plain, |line| line.replace(": closed", ": /dev/null"));
            }
            Self::PipeSignal if case.ignored.contains(&"PIPE") => retell(plain, without_pipe),
            Self::Store => shimmed.store.clear(),
            Self::Parent if shimmed.is_recorded => {
                for sight in &mut shimmed.sights {
                    sight.depth = match sight.depth {
                        Depth::Itself | Depth::Child => Depth::Itself,
                        Depth::Below => Depth::Child,
                    };
                }
            }
            Self::Looks => {
                let looks =
                    |seen: &Seen| seen.remote.requests.iter().filter(|r| is_look(r)).count();
                if looks(shimmed) > looks(plain) {
                    plain.remote.requests.retain(|request| !is_look(request));
                    shimmed.remote.requests.retain(|request| !is_look(request));
                }
            }
            Self::Talk if asks_for(case, "TF_SHIM_TALK") => drop_talk(shimmed),
            Self::Finding => {
                if leaves_no_state(case) {
                    drop_finding(plain, shimmed);
                }
                if plain.files.contains_key(&b"project/errored.tfstate"[..]) {
                    drop_errored(plain, shimmed);
                }
            }
            Self::Refusal if asks_for(case, "TF_SHIM_STORE") => {
                if shimmed.end == crate::End::Status(125) && shimmed.stdout.is_empty() {
                    *shimmed = plain.clone();
                }
            }
            Self::Guard if leaves_no_state(case) => {
                let is_refused = shimmed.end == crate::End::Status(125)
                    && shimmed.stdout.is_empty()
                    && shimmed.stderr.starts_with(b"tf shim: ")
                    && contains(&shimmed.stderr, b" was refused: corrupt-state\n");
                // Terraform must have failed, too, and have left everything as it was.
                if is_refused && plain.end == crate::End::Status(1) && !plain.has_changed {
                    shimmed.end = plain.end;
                    shimmed.stdout.clone_from(&plain.stdout);
                    shimmed.stderr.clone_from(&plain.stderr);
                }
            }
            Self::Word if case.args.first().is_some_and(|word| word == "shim") => {
                *shimmed = plain.clone();
            }
            Self::ClosedStreams
            | Self::PipeSignal
            | Self::Parent
            | Self::Talk
            | Self::Refusal
            | Self::Guard
            | Self::Word => {}
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Whether a request only looks.
fn is_look(request: &str) -> bool {
    request.starts_with("GET ")
}

fn asks_for(case: &Case, name: &str) -> bool {
    case.env.iter().any(|(n, _)| n == name)
}

/// Whether the state that a case is about is none: from the start, or because the fake ends that way.
fn leaves_no_state(case: &Case) -> bool {
    let names_no_state = |arg: &std::ffi::OsString| arg.as_bytes().ends_with(b"main.tf");
    match case.behind {
        super::Behind::Fake(_) => true,
        super::Behind::Teller => false,
        super::Behind::Terraform => {
            matches!(case.world, World::HalfState | World::NewlineState | World::NewerState)
                || case.args.iter().any(names_no_state)
        }
    }
}

/// Removes the one finding there can be: the last line of stderr.
fn drop_finding(plain: &Seen, shimmed: &mut Seen) {
    let finding = b"tf shim: corrupt-state: what the run left is no state\n";
    if shimmed.stderr == [&plain.stderr, &finding[..]].concat() {
        shimmed.stderr.clone_from(&plain.stderr);
    }
}

/// Removes what is said of an `errored.tfstate` that the run left behind: the end of stderr.
fn drop_errored(plain: &Seen, shimmed: &mut Seen) {
    let said = shimmed.stderr.strip_prefix(&plain.stderr[..]);
    if said.is_some_and(|said| said.starts_with(b"tf shim: errored-state: ")) {
        let mut rest = Seen { stderr: said.unwrap_or_default().to_vec(), ..shimmed.clone() };
        drop_talk(&mut rest);
        shimmed.stderr = [&plain.stderr[..], &rest.stderr].concat();
    }
}

/// Whether a standard stream is closed from the start.
fn is_odd(case: &Case) -> bool {
    case.input == Input::Closed || matches!(case.output, Output::Closed | Output::ErrorClosed)
}

/// Changes the lines that the teller told.
fn retell(seen: &mut Seen, change: impl Fn(&str) -> String) {
    if let Some(told) = seen.files.get_mut(&b"project/told"[..]) {
        let text = String::from_utf8_lossy(told).into_owned();
        *told = text
            .lines()
            .flat_map(|line| [change(line), "\n".to_owned()])
            .collect::<String>()
            .into_bytes();
    }
}

/// Takes SIGPIPE, number 13, out of a mask of ignored signals.
fn without_pipe(line: &str) -> String {
    let mask = line.strip_prefix("ignored: ").and_then(|mask| u64::from_str_radix(mask, 16).ok());
    mask.map_or_else(|| line.to_owned(), |mask| format!("ignored: {:016x}", mask & !(1 << 12)))
}

/// Removes our own messages from stderr: each begins with our name, continuation lines are indented.
fn drop_talk(seen: &mut Seen) {
    let mut is_ours = false;
    let lines: Vec<&[u8]> = seen.stderr.split_inclusive(|byte| *byte == b'\n').collect();
    let kept = lines.into_iter().filter(|line| {
        is_ours = line.starts_with(b"tf shim: ") || (is_ours && line.starts_with(b"  "));
        !is_ours
    });
    seen.stderr = kept.collect::<Vec<_>>().concat();
}

/// Returns the variables of an environment by name, for a message.
#[must_use]
pub fn names(environment: &[(Bytes, Bytes)]) -> Vec<String> {
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    environment
        .iter()
        .map(|(name, value)| format!("{}={}", text(&name.0), text(value.to_os().as_bytes())))
        .collect()
}
