//! A cancelled context of terraform-exec, an impatient one, and a caller that dies.
//!
//! Its `cmd_linux.go` and `cmd_unix.go` (November 2026): SIGINT to the one process, SIGKILL some time
//! later, and then the pipes are closed; SIGKILL, by the kernel, when the thread that started it ends.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shim_tests::callers::pipes::holders_of;
use shim_tests::callers::{Place, assert_ends, interrupted_in_both};
use shim_tests::processes::{in_group, is_alive};
use shim_tests::{End, Running, wait_until};

use super::terraform_exec::{call, surrounded};
use super::{STATE, slow};

/// Starts a slow apply and waits until it creates.
fn slow_apply(place: &Place) -> Running<'_> {
    slow(&place.sandbox);
    let args = ["apply", "-no-color", "-auto-approve", "-input=false", "-parallelism=1"];
    let running = call(place, &args).start();
    running.wait_for_file("begun");
    running
}

#[test]
fn a_cancelled_context_is_one_interrupt_to_terraform() {
    let work = |place: &Place| {
        let running = slow_apply(place);
        running.signal(Signal::SIGINT);
        vec![running.finish()]
    };
    let Some(both) = interrupted_in_both(|_| {}, work) else { return };
    let text = both.through[0].stdout_text();
    assert_ends(&both.through, &[1]);
    assert_eq!(text.matches("Gracefully shutting down").count(), 1, "{text}");
    assert!(!text.contains("Two interrupts"), "{text}");
    assert_eq!(both.place.sandbox.history().only().outcome(), "failed");
}

#[test]
fn while_it_runs_nobody_but_terraform_and_the_shim_holds_its_pipes_and_nothing_outlives_it() {
    let Some(place) = Place::with_tf_in_front() else { return };
    let running = slow_apply(&place);
    let [_, stdout, stderr] = running.pipes().clone();
    let (shim, group) = (running.pid(), in_group(running.pid()));
    let witness = shim_tests::processes::children_of(shim).into_iter().find(|pid| {
        let program = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
        program == place.sandbox.tf_program()
    });
    let witness = witness.expect("a witness stands beside Terraform");
    for pipe in [&stdout, &stderr] {
        let holders = holders_of(pipe);
        assert!(holders.contains(&shim), "{holders:?}");
        assert!(!holders.contains(&witness), "the witness holds {pipe}");
    }
    place.sandbox.write("go", "");
    running.finish().assert_status(0);
    wait_until("nobody of the group to be left", || in_group(shim).is_empty());
    assert!(group.len() >= 3, "shim, Terraform and witness were there: {group:?}");
}

#[test]
fn killed_after_the_delay_it_leaves_a_sound_state_and_a_record_that_the_next_call_closes() {
    let Some(place) = Place::with_tf_in_front() else { return };
    let mut running = slow_apply(&place);
    let group = running.pid();
    running.signal(Signal::SIGINT);
    wait_until("the interrupt", || {
        String::from_utf8_lossy(&running.stdout()).contains("Interrupt received")
    });
    running.signal(Signal::SIGKILL);
    running.close_output();
    assert_eq!(running.finish().end, End::by(Signal::SIGKILL));
    place.sandbox.write("go", "");
    wait_until("Terraform to end", || in_group(group).is_empty());
    let transcript = call(&place, &["apply", "-no-color", "-auto-approve", "-input=false"]).run();
    transcript.assert_status(0);
    let runs = place.sandbox.history_of(STATE).runs();
    assert_eq!(runs.len(), 2, "{runs:#?}");
    assert_eq!((runs[0].outcome(), runs[1].outcome()), ("unknown", "done"));
}

#[test]
fn a_caller_that_dies_kills_the_shim_and_terraform_finishes_what_it_began() {
    let Some(place) = Place::with_tf_in_front() else { return };
    slow(&place.sandbox);
    let launch = shim_tests::programs::find("launch");
    let line = format!(
        "{} --parent-death 9 {} apply -no-color -auto-approve -input=false & echo $! > shim; wait",
        launch.display(),
        place.terraform().display()
    );
    let running = surrounded(place.shell(line)).start();
    running.wait_for_file("begun");
    let shim = String::from_utf8(place.sandbox.read("shim")).unwrap();
    let shim: u32 = shim.trim().parse().unwrap();
    assert!(is_alive(shim));
    kill(Pid::from_raw(i32::try_from(running.pid()).unwrap()), Signal::SIGKILL).unwrap();
    wait_until("the shim to die with its caller", || !is_alive(shim));
    place.sandbox.write("go", "");
    let transcript = running.finish();
    assert!(transcript.stdout_text().contains("Apply complete!"), "{transcript}");
    let state = place.sandbox.read(STATE);
    call(&place, &["taint", "-no-color", "terraform_data.a"]).run().assert_status(0);
    let runs = place.sandbox.history().runs();
    assert_eq!(runs[0].outcome(), "unknown");
    assert!(runs[0].after.as_ref() == Some(&state), "what Terraform left is in the record");
}

#[test]
fn a_caller_that_dies_takes_a_command_that_only_reads_with_it() {
    let Some(place) = Place::with_tf_in_front() else { return };
    place.sandbox.write("main.tf", "");
    let launch = shim_tests::programs::find("launch");
    let line = format!(
        "{} --parent-death 9 {} console < fifo & echo $! > reader; exec 3> fifo; wait",
        launch.display(),
        place.terraform().display()
    );
    let fifo = place.sandbox.project().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let running = place.shell(line).start();
    running.wait_for_file("reader");
    let reader = || String::from_utf8(place.sandbox.read("reader")).unwrap();
    wait_until("the reader to be named", || reader().ends_with('\n'));
    let reader: u32 = reader().trim().parse().unwrap();
    let real = std::fs::canonicalize(place.sandbox.bin().join("terraform")).unwrap();
    wait_until("the shim to have become Terraform", || {
        std::fs::read_link(format!("/proc/{reader}/exe")).is_ok_and(|program| program == real)
    });
    running.signal(Signal::SIGKILL);
    wait_until("Terraform to die with the caller", || !is_alive(reader));
    assert_eq!(running.finish().end, End::by(Signal::SIGKILL));
}
