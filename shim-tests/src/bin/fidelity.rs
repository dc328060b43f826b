//! `fidelity [--random N] [--seed S] [--threads N] [--only N] [--write]`: measures how far one can tell the
//! shim from the real Terraform, prints the figures, and with `--write` puts them into `docs/fidelity.md`.
//!
//! `--only N` carries out the one random case of that number and shows what differs. Run it with `cargo run
//! --release -p shim-tests --bin fidelity -- …`; it builds the programs it needs, which Cargo would not.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measuring program that cannot go on stops, and its report goes to the terminal"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the walls of clippy.toml are those of tf itself; this builds, measures and writes a page"
)]

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use shim_tests::grammar::draw;
use shim_tests::twins::ends::{Ends, KINDS};
use shim_tests::twins::figures::{Figures, page, with_figures};
use shim_tests::twins::matrix::matrix;
use shim_tests::twins::suite::{Manner, Tally};
use shim_tests::twins::{Who, Worlds};

/// What the command line asks for.
struct Wish {
    /// How many random command lines.
    random: usize,
    /// What they are drawn from.
    seed: u64,
    /// How many cases at once.
    threads: usize,
    /// The number of the one line that is repeated.
    only: Option<usize>,
    /// Whether the figures go into the page.
    writes: bool,
}

fn main() -> ExitCode {
    let wish = Wish::read();
    build();
    let Some(worlds) = Worlds::make() else {
        eprintln!("fidelity: there is no terraform on PATH");
        return ExitCode::FAILURE;
    };
    if let Some(number) = wish.only {
        return only(&worlds, &wish, number);
    }
    let figures = measure(&worlds, &wish);
    for tally in [&figures.noise, &figures.matrix, &figures.random] {
        print!("{}", tally.complaint());
    }
    for missed in figures.ends.iter().flat_map(|ends| &ends.missed) {
        println!("{missed}");
    }
    println!("{figures}");
    if wish.writes {
        let old = std::fs::read_to_string(page()).expect("the page is there");
        std::fs::write(page(), with_figures(&old, &figures)).expect("the page can be written");
    }
    if figures.differences() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Wish {
    /// Reads the command line.
    fn read() -> Self {
        let mut wish = Self { random: 2000, seed: 1, threads: 2, only: None, writes: false };
        let mut args =
            std::env::args_os().skip(1).map(|arg| arg.into_string().expect("plain text"));
        while let Some(flag) = args.next() {
            let mut number = || args.next().and_then(|n| n.parse().ok()).expect("a number");
            match flag.as_str() {
                "--random" => wish.random = number(),
                "--seed" => wish.seed = u64::try_from(number()).expect("a number"),
                "--threads" => wish.threads = number(),
                "--only" => wish.only = Some(number()),
                "--write" => wish.writes = true,
                _ => panic!(
                    "unknown flag {flag}; there are --random --seed --threads --only --write"
                ),
            }
        }
        wish
    }
}

/// Builds every program of this package in the profile of this one.
fn build() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let us = std::env::current_exe().unwrap();
    let target = us.ancestors().nth(2).expect("it lies in TARGET/PROFILE");
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "shim-tests", "--bins", "--target-dir"]);
    command.arg(target).current_dir(env!("CARGO_MANIFEST_DIR"));
    if us.parent().is_some_and(|directory| directory.ends_with("release")) {
        command.arg("--release");
    }
    assert!(command.status().expect("cargo runs").success(), "the programs cannot be built");
}

/// Carries out one random case.
fn only(worlds: &Worlds, wish: &Wish, number: usize) -> ExitCode {
    let manner = Manner { shimmed: &[Who::Tf, Who::Terraform], threads: 1, shrinks: true };
    println!("{}", draw(wish.seed, number));
    let tally = Tally::of(worlds, 1, &|_| draw(wish.seed, number), manner);
    print!("{}", tally.complaint());
    if tally.found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Carries out everything.
fn measure(worlds: &Worlds, wish: &Wish) -> Figures {
    let start = Instant::now();
    let cases = matrix();
    let threads = wish.threads;
    let of_matrix = |shimmed| {
        let manner = Manner { shimmed, threads, shrinks: false };
        Tally::of(worlds, cases.len(), &|number| cases[number].clone(), manner)
    };
    eprintln!("fidelity: the matrix, twice without the shim: {} cases", cases.len());
    let noise = of_matrix(&[Who::Plain]);
    eprintln!("fidelity: the matrix, through the shim");
    let matrix = of_matrix(&[Who::Tf, Who::Terraform]);
    eprintln!("fidelity: {} random command lines, seed {}", wish.random, wish.seed);
    let manner = Manner { shimmed: &[Who::Terraform], threads, shrinks: true };
    let random = Tally::of(worlds, wish.random, &|number| draw(wish.seed, number), manner);
    eprintln!("fidelity: every exit status and signal");
    let ends = KINDS.map(|(_, word)| Ends::of(word));
    Figures {
        noise,
        matrix,
        random,
        seed: wish.seed,
        ends,
        terraform: first_line("terraform", &["version"]),
        machine: machine(),
        date: first_line("date", &["+%-d %B %Y"]),
        taken: start.elapsed(),
    }
}

/// Names the machine: how many processors of which kind, and the kernel.
fn machine() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("processor", |(_, model)| model);
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    format!("{count} cores ({model}), Linux {}, `tf` in its {profile} build", kernel.trim())
}

/// Returns the first line that a program prints.
fn first_line(program: impl AsRef<Path>, args: &[&str]) -> String {
    let mut command = Command::new(program.as_ref());
    command
        .args(args)
        .env_remove("TF_CLI_CONFIG_FILE")
        .env("CHECKPOINT_DISABLE", "1")
        .env("LC_ALL", "C");
    let output = command.output().expect("the program starts");
    String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned()
}
