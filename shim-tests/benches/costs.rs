//! What the shim costs, against the release build of `tf`, as one Markdown report.
//!
//! `cargo bench -p shim-tests` runs everything; `cargo bench -p shim-tests -- forwarding` one part
//! (`forwarding`, `guarded`, `history`, `check`), `--quick` takes fewer runs and leaves the largest state out.
//!
//! Everything is measured from outside, in wall time of whole processes, and what is compared runs
//! interleaved, so that a busy machine disturbs both alike. Easy to get wrong: the memory of a child
//! counts towards the figures `wait4` returns for its parent, so the shim's own peak is read from
//! `/proc/PID/status` while it runs.

#![expect(
    clippy::disallowed_methods,
    reason = "the walls of clippy.toml are those of tf itself; a benchmark starts programs and writes files"
)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that cannot set its stage stops, and its report goes to stdout"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use shim_tests::provider::{HEADER, Provider};
use shim_tests::{Sandbox, Scenario, Step, programs, states};

fn main() {
    let args: Vec<String> =
        std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let is_quick = args.iter().any(|arg| arg == "--quick");
    let wanted: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let tf = build_tf();
    println!("# Costs of tf\n");
    println!("`{}`, {} bytes\n", tf.display(), std::fs::metadata(&tf).unwrap().len());
    let parts: [(&str, Part); 4] =
        [("forwarding", forwarding), ("guarded", guarded), ("history", history), ("check", check)];
    for (name, part) in parts {
        if wanted.is_empty() || wanted.iter().any(|word| *word == name) {
            part(&tf, if is_quick { Scale::Quick } else { Scale::Full });
        }
    }
}

/// One part of the report.
type Part = fn(&Path, Scale);

/// How thoroughly to measure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// To see that it works.
    Quick,
    /// To be believed.
    Full,
}

impl Scale {
    /// Picks a number.
    fn pick(self, quick: usize, full: usize) -> usize {
        match self {
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}

/// Builds the root package alone, as a release does: in a workspace build features are united.
fn build_tf() -> PathBuf {
    let us = std::env::current_exe().unwrap();
    let target = us.ancestors().nth(3).expect("a benchmark lies in TARGET/release/deps");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--package", "tf-shim", "--bin", "tf", "--target-dir"])
        .arg(target)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .status()
        .expect("cargo runs");
    assert!(status.success(), "tf cannot be built");
    target.join("release/tf")
}

/// Part one: `tf plan` next to the smallest proxy there can be.
fn forwarding(tf: &Path, scale: Scale) {
    let sandbox = Sandbox::of(tf);
    let nothing = programs::find("minimal-exec");
    sandbox.put_on_path("terraform", &nothing);
    // The real one is the last of ten directories, as on a lived-in machine.
    let mut directories: Vec<PathBuf> = (0..9).map(|n| sandbox.path(&format!("path{n}"))).collect();
    for directory in &directories {
        std::fs::create_dir(directory).unwrap();
    }
    directories.push(sandbox.bin());
    let path = std::env::join_paths(directories).unwrap();
    let sandbox = sandbox.with_variable("PATH", path);

    let real = sandbox.bin().join("terraform");
    let direct = || command(&sandbox, &real, &["plan"]);
    let minimal = || {
        let mut command = command(&sandbox, &nothing, &["plan"]);
        command.env("MINIMAL_EXEC_TARGET", &real);
        command
    };
    let through_tf = || command(&sandbox, tf, &["plan"]);
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..scale.pick(100, 2000) {
        times[0].push(time(direct()));
        times[1].push(time(minimal()));
        times[2].push(time(through_tf()));
    }
    let [direct_time, minimal_time, tf_time] = times.map(|runs| quantile(runs, 50));
    println!("## Forwarding: start to end of `plan`, the real program does nothing\n");
    println!("| Way | Median | Added | System calls before the real program |");
    println!("| --- | ---: | ---: | ---: |");
    println!("| directly | {} | | |", milliseconds(direct_time));
    for (name, median, line) in [
        ("minimal program that only execs", minimal_time, minimal()),
        ("`tf`", tf_time, through_tf()),
    ] {
        let added = milliseconds(median.saturating_sub(direct_time));
        println!("| {name} | {} | {added} | {} |", milliseconds(median), calls_before_exec(&line));
    }
    let added = |median: Duration| median.saturating_sub(direct_time).as_secs_f64();
    println!(
        "\n`tf` adds {:.2} times what the minimal program adds.\n",
        added(tf_time) / added(minimal_time)
    );
}

/// Part two: a guarded `apply` on states of several sizes.
fn guarded(tf: &Path, scale: Scale) {
    println!("## Guarded `apply`: what `tf` adds to a Terraform that changes the serial\n");
    println!(
        "| State | Runs | Directly p50 | Through `tf` p50 | Added p50 | Added p95 | Peak memory of `tf` |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let sizes = [
        ("1 KB", 1 << 10, 60),
        ("1 MB", 1 << 20, 40),
        ("10 MB", 10 << 20, 20),
        ("100 MB", 100 << 20, 8),
    ];
    let count = scale.pick(3, sizes.len());
    for (name, size_bytes, runs) in sizes.into_iter().take(count) {
        let runs = scale.pick(5, runs);
        // Two worlds, because a change behind the back of tf would cost it one snapshot more.
        let (with, without) = (applying(tf, size_bytes), applying(tf, size_bytes));
        let real = without.bin().join("terraform");
        let args = ["apply", "-auto-approve"];
        succeed(command(&with, tf, &args));
        let mut direct = Vec::new();
        let mut shimmed = Vec::new();
        for _ in 0..runs {
            direct.push(time(command(&without, &real, &args)));
            shimmed.push(time(command(&with, tf, &args)));
        }
        let baseline = quantile(direct, 50);
        let p50 = quantile(shimmed.clone(), 50);
        let p95 = quantile(shimmed, 95);
        let peak = peak_memory_kib(command(&with, tf, &args));
        println!(
            "| {name} | {runs} | {} | {} | {} | {} | {:.1} MiB |",
            milliseconds(baseline),
            milliseconds(p50),
            milliseconds(p50.saturating_sub(baseline)),
            milliseconds(p95.saturating_sub(baseline)),
            f64::from(peak) / 1024.0,
        );
    }
    println!();
}

/// Part three: a long history.
fn history(tf: &Path, scale: Scale) {
    let wanted = scale.pick(200, 10_000);
    let runs = scale.pick(5, 30);
    let long = applying(tf, 1 << 10);
    let real = long.bin().join("terraform");
    eprintln!("making a history of {wanted} operations");
    // An apply is one operation; a change behind its back makes another, `outside tf`.
    for _ in 0..wanted.div_ceil(2) {
        succeed(command(&long, &real, &["apply", "-auto-approve"]));
        succeed(command(&long, tf, &["apply", "-auto-approve"]));
    }
    let count = operations(&long, tf);
    assert!(count >= wanted - 1, "{wanted} operations were made, tf lists {count}");
    let short = applying(tf, 1 << 10);
    let mut times = [(); 5].map(|()| Vec::new());
    for _ in 0..runs {
        times[0].push(time(command(&long, tf, &["shim", "list"])));
        times[1].push(time(command(&long, tf, &["shim", "list", "-n", "10000"])));
        times[2].push(time(command(&long, tf, &["shim", "list", "--json"])));
        times[3].push(time(command(&long, tf, &["apply", "-auto-approve"])));
        // An empty history each time, not one that grows with the runs.
        if short.store().exists() {
            std::fs::remove_dir_all(short.store()).unwrap();
        }
        times[4].push(time(command(&short, tf, &["apply", "-auto-approve"])));
    }
    println!("## A history of {count} operations\n");
    println!("| Command | p50 | p95 |");
    println!("| --- | ---: | ---: |");
    let names = [
        "`tf shim list`",
        "`tf shim list -n 10000`",
        "`tf shim list --json`",
        "`tf apply` on this history",
        "`tf apply` on an empty history",
    ];
    for (name, runs) in names.into_iter().zip(times) {
        let (p50, p95) = (quantile(runs.clone(), 50), quantile(runs, 95));
        println!("| {name} | {} | {} |", milliseconds(p50), milliseconds(p95));
    }
    println!();
}

/// Part four: a check of an idempotent configuration against the four Terraform runs it consists of, with
/// the real Terraform and our own provider, each time from an empty state.
fn check(tf: &Path, scale: Scale) {
    println!("## `tf shim check`, against its four Terraform runs by hand\n");
    println!("| Configuration | Runs | By hand p50 | `tf shim check` p50 | Added p50 | Added |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let quick = "resource \"fake_thing\" \"x\" {\n  count = 20\n  value = \"v\"\n}\n";
    let slow = "resource \"fake_slow\" \"x\" {\n  count     = 20\n  create_ms = 500\n  read_ms   = 250\n}\n";
    let configurations =
        [("20 objects, read at once", quick), ("20 objects, 0.25 s a read, 0.5 s to make", slow)];
    for (name, resources) in configurations {
        let runs = scale.pick(3, 15);
        let (mut by_hand, mut checked) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            let Some(bare) = providing(tf, resources) else { return };
            by_hand.push(four_runs(&bare.sandbox));
            let Some(full) = providing(tf, resources) else { return };
            checked.push(time(command(&full.sandbox, tf, &["shim", "check", "--yes"])));
        }
        let (by_hand, checked) = (quantile(by_hand, 50), quantile(checked, 50));
        let added = checked.saturating_sub(by_hand);
        println!(
            "| {name} | {runs} | {} | {} | {} | {:.1} % |",
            milliseconds(by_hand),
            milliseconds(checked),
            milliseconds(added),
            100.0 * (checked.as_secs_f64() / by_hand.as_secs_f64() - 1.0),
        );
    }
    println!();
}

/// A configuration, and the provider that it talks to.
struct Provided {
    /// Where the configuration is.
    sandbox: Sandbox,
    /// Lives as long as it is talked to.
    _provider: Provider,
}

/// Makes one; none where there is no Terraform.
fn providing(tf: &Path, resources: &str) -> Option<Provided> {
    let provider = Provider::start();
    let sandbox = Sandbox::of(tf).with_real_terraform()?.with_provider(&provider);
    sandbox.write("main.tf", [HEADER, resources].concat());
    Some(Provided { sandbox, _provider: provider })
}

/// What a person does by hand, with the same flags.
fn four_runs(sandbox: &Sandbox) -> Duration {
    let real = sandbox.bin().join("terraform");
    let run = |args: &[&str]| {
        let mut command = command(sandbox, &real, args);
        let start = Instant::now();
        let status = command.status().expect("terraform starts");
        assert!(matches!(status.code(), Some(0 | 2)), "{command:?} ended with {status}");
        start.elapsed()
    };
    let plan = ["plan", "-input=false", "-no-color", "-detailed-exitcode"];
    let with = |more: &[&'static str]| [&plan[..], more].concat();
    run(&with(&["-out=first"]))
        + run(&["apply", "-input=false", "-no-color", "first"])
        + run(&with(&["-out=again", "-refresh=false"]))
        + run(&with(&["-out=last"]))
}

/// Makes a sandbox with a state of that size and a Terraform whose `apply` changes it.
fn applying(tf: &Path, size_bytes: usize) -> Sandbox {
    let raise = Step::RaiseSerial("terraform.tfstate".into());
    let sandbox = Sandbox::of(tf).with_fake(Scenario::terraform().on(["apply"], [raise]));
    sandbox.write("main.tf", "");
    sandbox.write("terraform.tfstate", states::state_of_size(100_000, size_bytes));
    sandbox
}

/// Counts the operations of a history.
fn operations(sandbox: &Sandbox, tf: &Path) -> usize {
    let output = command(sandbox, tf, &["shim", "list", "--json"])
        .stdout(Stdio::piped())
        .output()
        .expect("tf starts");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    document["operations"].as_array().map_or(0, Vec::len)
}

/// Prepares a program in a sandbox, without any stream.
fn command(sandbox: &Sandbox, program: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(args)
        .env_clear()
        .envs(sandbox.environment())
        .current_dir(sandbox.project())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Runs a program and returns how long it took.
fn time(mut command: Command) -> Duration {
    let start = Instant::now();
    let status = command.status().expect("the program starts");
    let elapsed = start.elapsed();
    assert!(status.success(), "{command:?} ended with {status}");
    elapsed
}

/// Runs a program that must succeed.
fn succeed(command: Command) {
    let _elapsed = time(command);
}

/// Runs a program and returns the peak of its own resident memory, in KiB.
///
/// The high-water mark is read every half millisecond until the process has ended. It only ever grows,
/// so that what a late look misses is the last half millisecond, when everything is being torn down.
fn peak_memory_kib(mut command: Command) -> u32 {
    let mut child: Child = command.spawn().expect("the program starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let mark = mark.and_then(|mark| mark.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(mark.unwrap_or(0));
        std::thread::park_timeout(Duration::from_micros(500));
    }
    peak
}

/// Counts the system calls between the start of a program and its `execve`, `-` without `strace`.
fn calls_before_exec(command: &Command) -> String {
    let directory = tempfile::tempdir().unwrap();
    let trace = directory.path().join("trace");
    // The private PATH has no strace: it is found on ours.
    let ours = std::env::var_os("PATH").unwrap_or_default();
    let strace =
        std::env::split_paths(&ours).map(|entry| entry.join("strace")).find(|s| s.is_file());
    let Some(strace) = strace else { return "-".to_owned() };
    let mut line = Command::new(strace);
    line.arg("-o").arg(&trace).arg(command.get_program()).args(command.get_args()).env_clear();
    line.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let status = line.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let text = std::fs::read_to_string(&trace).unwrap_or_default();
    let is_exec = |line: &&str| line.starts_with("execve(") && line.ends_with(" = 0");
    let before = text.lines().skip(1).take_while(|line| !is_exec(line)).count();
    if status.is_ok() && text.lines().skip(1).any(|line| is_exec(&line)) {
        return before.to_string();
    }
    "-".to_owned()
}

/// Returns a quantile, by nearest rank.
fn quantile(mut runs: Vec<Duration>, percent: usize) -> Duration {
    runs.sort();
    let rank = (runs.len() * percent).div_ceil(100).max(1);
    runs[rank - 1]
}

/// Shows a time.
fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}
