//! Signals while a guarded command runs: each reaches Terraform exactly once, however it was sent.
//!
//! "Not twice" cannot be waited for, so every test ends the counting with SIGUSR2, sent to the shim alone:
//! the shim passes it on after the same window as any other, so what was sent before it has arrived
//! before it. SIGUSR2 is left out of the counts.

use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shim_tests::backend::HttpBackend;
use shim_tests::processes::{children_of, is_alive, is_blocked, is_pending, state_of};
use shim_tests::{
    End, Event, Running, Sandbox, Scenario, Step, Transcript, stage, states, wait_until,
};

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";

/// What the fake counts.
const COUNTED: [Signal; 7] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGALRM,
];

/// A fake whose apply counts signals until the file `go` is there, then writes a state.
fn counting() -> Sandbox {
    let part = [
        Step::catch(COUNTED),
        Step::touch("ready"),
        Step::await_file("go"),
        Step::write(STATE, states::state(2, &["a"])),
    ];
    let sandbox = Sandbox::new().with_fake(Scenario::terraform().on(["apply"], part));
    sandbox.write(STATE, states::state(1, &["a"]));
    sandbox
}

/// A fake whose apply suffers signals as they come, until the file `go` is there.
fn suffering() -> Sandbox {
    let part = [
        Step::touch("ready"),
        Step::await_file("go"),
        Step::write(STATE, states::state(2, &["a"])),
    ];
    let sandbox = Sandbox::new().with_fake(Scenario::terraform().on(["apply"], part));
    sandbox.write(STATE, states::state(1, &["a"]));
    sandbox
}

/// Sends a signal to one process.
fn send(pid: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(pid).unwrap()), signal).unwrap();
}

/// Returns the processes of a guarded run: the shim, the fake, and the witness.
fn tree(sandbox: &Sandbox) -> (u32, u32, u32) {
    let call = sandbox.calls().pop().unwrap();
    let shim = u32::try_from(call.ppid).unwrap();
    let fake = u32::try_from(call.pid).unwrap();
    let others: Vec<u32> = children_of(shim).into_iter().filter(|pid| *pid != fake).collect();
    assert_eq!(others.len(), 1, "shim, Terraform, witness, and nobody else: {others:?}");
    (shim, fake, others[0])
}

/// Returns the signals caught so far.
fn caught(sandbox: &Sandbox) -> Vec<Signal> {
    let events = sandbox.events().into_iter();
    let caught = events.filter_map(|event| match event {
        Event::Caught { signal, .. } => Signal::try_from(signal).ok(),
        Event::Call(_) | Event::Stdin { .. } | Event::Done { .. } => None,
    });
    caught.collect()
}

/// Waits until everything that was sent to the shim so far has been dealt with.
fn settle(sandbox: &Sandbox, shim: u32) {
    let marks = || caught(sandbox).iter().filter(|signal| **signal == Signal::SIGUSR2).count();
    let known = marks();
    send(shim, Signal::SIGUSR2);
    wait_until("the mark", || marks() > known);
}

/// Lets the fake go on, and returns the transcript and the signals it caught.
fn end(sandbox: &Sandbox, running: Running<'_>) -> (Transcript, Vec<Signal>) {
    sandbox.write("go", "");
    let transcript = running.finish();
    let mut caught = transcript.caught();
    caught.retain(|signal| *signal != Signal::SIGUSR2);
    (transcript, caught)
}

/// Runs an apply, lets `strike` send signals to (shim, fake, witness), and returns what the fake caught.
fn struck(strike: impl FnOnce(&Running<'_>, (u32, u32, u32))) -> Vec<Signal> {
    let sandbox = counting();
    let running = sandbox.tf(["apply"]).start();
    running.wait_for_file("ready");
    let processes = tree(&sandbox);
    strike(&running, processes);
    settle(&sandbox, processes.0);
    let (transcript, caught) = end(&sandbox, running);
    transcript.assert_status(0);
    let operation = sandbox.history().newest();
    assert_eq!(operation.outcome(), "done", "{operation:#?}");
    assert!(operation.after == Some(states::state(2, &["a"]).into_bytes()));
    caught
}

mod sent {
    use super::*;

    #[test]
    fn a_signal_to_the_shim_alone_is_delivered_once() {
        for signal in COUNTED.into_iter().filter(|signal| *signal != Signal::SIGUSR2) {
            assert_eq!(struck(|running, _| running.signal(signal)), [signal]);
        }
    }

    #[test]
    fn a_signal_to_the_group_is_delivered_once() {
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
            assert_eq!(struck(|running, _| running.signal_group(signal)), [signal]);
        }
    }

    #[test]
    fn a_signal_to_every_process_one_by_one_is_delivered_once() {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let caught = struck(|_, (shim, fake, witness)| {
                let processes = [shim, fake, witness];
                for at in order {
                    send(processes[at], Signal::SIGINT);
                }
            });
            assert_eq!(caught, [Signal::SIGINT], "in the order {order:?}");
        }
    }

    #[test]
    fn a_signal_to_terraform_alone_is_delivered_once() {
        assert_eq!(struck(|_, (_, fake, _)| send(fake, Signal::SIGINT)), [Signal::SIGINT]);
    }

    #[test]
    fn a_signal_to_the_witness_alone_is_nobodys() {
        assert_eq!(struck(|_, (_, _, witness)| send(witness, Signal::SIGINT)), []);
    }

    #[test]
    fn two_interrupts_one_after_the_other_are_two() {
        let sandbox = counting();
        let running = sandbox.tf(["apply"]).start();
        running.wait_for_file("ready");
        let (shim, ..) = tree(&sandbox);
        for _ in 0..2 {
            send(shim, Signal::SIGINT);
            settle(&sandbox, shim);
            wait_a_little(Duration::from_millis(400));
        }
        assert_eq!(end(&sandbox, running).1, [Signal::SIGINT, Signal::SIGINT]);
    }

    #[test]
    fn an_interrupt_and_a_termination_are_two_signals() {
        let caught = struck(|running, _| {
            running.signal(Signal::SIGINT);
            running.signal(Signal::SIGTERM);
        });
        assert_eq!(caught.len(), 2, "{caught:?}");
    }

    #[test]
    fn a_signal_after_the_witness_was_killed_is_delivered_once() {
        let caught = struck(|running, (shim, fake, witness)| {
            send(witness, Signal::SIGKILL);
            wait_until("another witness", || {
                let mut others = children_of(shim).into_iter();
                others.any(|pid| pid != fake && pid != witness)
            });
            running.signal(Signal::SIGINT);
        });
        assert_eq!(caught, [Signal::SIGINT]);
    }

    #[test]
    fn timeout_around_it_delivers_one_signal() {
        for (name, signal) in [("INT", Signal::SIGINT), ("TERM", Signal::SIGTERM)] {
            let sandbox = counting();
            let tf = sandbox.tf_program().into_os_string();
            let args = ["-s".into(), name.into(), "600".into(), tf, "apply".into()];
            let running = sandbox.program("/usr/bin/timeout".as_ref(), args).start();
            running.wait_for_file("ready");
            let (shim, ..) = tree(&sandbox);
            // Its timer is SIGALRM, so that nobody has to wait for it.
            running.signal(Signal::SIGALRM);
            settle(&sandbox, shim);
            let (transcript, caught) = end(&sandbox, running);
            transcript.assert_status(124);
            assert_eq!(caught, [signal], "timeout -s {name}");
        }
    }

    #[test]
    fn what_kills_terraform_kills_the_shim_and_is_recorded() {
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGUSR1] {
            let sandbox = suffering();
            let running = sandbox.tf(["apply"]).start();
            running.wait_for_file("ready");
            running.signal(signal);
            let transcript = running.finish();
            assert_eq!(transcript.end, End::by(signal), "{transcript}");
            let operation = sandbox.history().newest();
            assert_eq!(operation.outcome(), "killed", "{operation:#?}");
            assert!(operation.after == Some(states::state(1, &["a"]).into_bytes()));
        }
    }

    /// Lets time pass, for a test about time.
    fn wait_a_little(time: Duration) {
        let start = Instant::now();
        wait_until("time to pass", || start.elapsed() >= time);
    }
}

mod real_terraform {
    use super::*;

    /// Runs a slow apply with a real Terraform and interrupts it by `strike`.
    fn interrupted(strike: impl FnOnce(&mut Running<'_>), on_terminal: bool) -> Option<String> {
        let sandbox = Sandbox::new().with_real_terraform()?;
        let slow = stage::patient_resource_at("slow", &sandbox.project());
        sandbox.write("main.tf", stage::resource("a", "1") + &slow);
        let line = sandbox.tf(["apply", "-auto-approve", "-no-color"]);
        let line = if on_terminal { line.on_terminal() } else { line };
        let mut running = line.start();
        running.wait_for_file("begun");
        strike(&mut running);
        let transcript = running.finish();
        transcript.assert_status(1);
        let operation = sandbox.history().newest();
        assert_eq!((operation.outcome(), operation.after_status()), ("failed", "ok"));
        assert!(operation.after == Some(sandbox.read(STATE)), "what was saved is kept");
        let state = String::from_utf8(sandbox.read(STATE)).unwrap();
        assert!(state.contains("\"name\": \"slow\""), "nothing was lost: {state}");
        let screen = transcript.screen.clone().unwrap_or_default();
        Some(
            transcript.stdout_text()
                + &transcript.stderr_text()
                + &String::from_utf8_lossy(&screen),
        )
    }

    /// Fails unless Terraform saw exactly one interrupt.
    #[track_caller]
    fn assert_one_interrupt(text: Option<String>) {
        let Some(text) = text else { return };
        assert_eq!(text.matches("Interrupt received").count(), 1, "{text}");
        assert!(!text.contains("Two interrupts received"), "{text}");
    }

    #[test]
    fn ctrl_c_on_a_terminal_is_one_interrupt() {
        assert_one_interrupt(interrupted(|running| running.type_text("\x03"), true));
    }

    #[test]
    fn an_interrupt_to_the_shim_alone_is_one_interrupt() {
        assert_one_interrupt(interrupted(|running| running.signal(Signal::SIGINT), false));
    }

    #[test]
    fn a_termination_of_the_shim_alone_is_one_interrupt() {
        assert_one_interrupt(interrupted(|running| running.signal(Signal::SIGTERM), false));
    }

    #[test]
    fn an_interrupt_to_the_group_is_one_interrupt() {
        assert_one_interrupt(interrupted(|running| running.signal_group(Signal::SIGINT), false));
    }

    #[test]
    fn a_shim_killed_in_the_middle_leaves_terraform_to_finish_and_the_next_call_closes_the_record()
    {
        let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
        let config = stage::resource("a", "1") + &stage::slow_resource("slow", &sandbox.project());
        sandbox.write("main.tf", config);
        let running = sandbox.tf(["apply", "-auto-approve"]).start();
        running.wait_for_file("begun");
        running.signal(Signal::SIGKILL);
        sandbox.write("go", "");
        let transcript = running.finish();
        assert_eq!(transcript.end, End::by(Signal::SIGKILL));
        assert!(transcript.stdout_text().contains("Apply complete!"), "{transcript}");
        let left = sandbox.read(STATE);
        sandbox.tf(["taint", "terraform_data.a"]).run().assert_status(0);
        let operations = sandbox.history().runs();
        assert_eq!(operations.len(), 2, "{operations:#?}");
        assert_eq!(operations[0].outcome(), "unknown");
        assert!(operations[0].after.as_ref() == Some(&left), "{operations:#?}");
        assert!(operations[1].before == Some(left));
    }
}

mod terminals {
    use super::*;

    /// Does something to the terminal of an apply that results in one signal, and returns what came.
    fn struck_on_terminal(strike: impl FnOnce(&mut Running<'_>)) -> (Transcript, Vec<Signal>) {
        let sandbox = counting();
        let mut running = sandbox.tf(["apply"]).on_terminal().start();
        running.wait_for_file("ready");
        let (shim, ..) = tree(&sandbox);
        strike(&mut running);
        running.wait_for_signals(1);
        settle(&sandbox, shim);
        end(&sandbox, running)
    }

    #[test]
    fn a_key_is_delivered_once_by_the_kernel_and_does_not_end_the_shim() {
        for (key, signal) in [("\x03", Signal::SIGINT), ("\x1c", Signal::SIGQUIT)] {
            let (transcript, caught) = struck_on_terminal(|running| running.type_text(key));
            transcript.assert_status(0);
            assert_eq!(caught, [signal]);
            assert!(transcript.only_call().streams.iter().all(|stream| stream.is_terminal));
        }
    }

    #[test]
    fn ctrl_z_stops_both_and_fg_continues_both() {
        let sandbox = counting();
        let script = sandbox.path("session");
        let tf = sandbox.tf_program();
        sandbox.write_script(
            &script,
            &format!(
                "set -m; {} apply; echo stopped=$?; read line; fg; echo ended=$?",
                tf.display()
            ),
        );
        let mut running = sandbox.program(&script, [""; 0]).on_terminal().start();
        running.wait_for_file("ready");
        let (shim, fake, _) = tree(&sandbox);
        running.type_text("\x1a");
        running.wait_for_text("stopped=148");
        wait_until("Terraform to stop", || state_of(fake) == Some('T'));
        assert_eq!(state_of(shim), Some('T'));
        running.type_text("\n");
        wait_until("both to go on", || state_of(fake) != Some('T') && state_of(shim) != Some('T'));
        sandbox.write("go", "");
        running.wait_for_text("ended=0");
        let transcript = running.finish();
        transcript.assert_status(0);
        assert_eq!(sandbox.history().newest().outcome(), "done");
    }

    /// Stops an apply by one signal and continues it by another, that many times.
    fn stopped_and_continued(times: usize, send: impl Fn(&Running<'_>, Signal)) {
        let sandbox = counting();
        let running = sandbox.tf(["apply"]).start();
        running.wait_for_file("ready");
        let (shim, fake, _) = tree(&sandbox);
        let are_stopped = |is: bool| [shim, fake].iter().all(|p| (state_of(*p) == Some('T')) == is);
        for _ in 0..times {
            send(&running, Signal::SIGTSTP);
            wait_until("both to stop", || are_stopped(true));
            send(&running, Signal::SIGCONT);
            wait_until("both to go on", || are_stopped(false));
            settle(&sandbox, shim);
        }
        end(&sandbox, running).0.assert_status(0);
    }

    #[test]
    fn a_stop_sent_to_the_shim_alone_stops_both_and_a_continue_continues_both() {
        stopped_and_continued(2, |running, signal| {
            running.signal(signal);
        });
    }

    #[test]
    fn a_stop_sent_to_the_group_stops_both_and_a_continue_continues_both() {
        stopped_and_continued(1, |running, signal| {
            running.signal_group(signal);
        });
    }

    #[test]
    fn a_closed_terminal_reaches_terraform_once() {
        let (transcript, caught) = struck_on_terminal(|running| {
            running.hang_up();
        });
        transcript.assert_status(0);
        assert_eq!(caught, [Signal::SIGHUP]);
    }

    #[test]
    fn a_closed_terminal_ends_terraform_and_is_recorded() {
        let sandbox = suffering();
        let mut running = sandbox.tf(["apply"]).on_terminal().start();
        running.wait_for_file("ready");
        running.hang_up();
        assert_eq!(running.finish().end, End::by(Signal::SIGHUP));
        assert_eq!(sandbox.history().newest().outcome(), "killed");
    }
}

mod inherited {
    use super::*;

    #[test]
    fn nohup_survives_for_both() {
        let sandbox = suffering();
        let running = sandbox.tf(["apply"]).with_ignored(Signal::SIGHUP).start();
        running.wait_for_file("ready");
        running.signal_group(Signal::SIGHUP);
        running.signal(Signal::SIGHUP);
        sandbox.write("go", "");
        let transcript = running.finish();
        transcript.assert_status(0);
        assert!(transcript.only_call().has_ignored(Signal::SIGHUP));
        assert_eq!(sandbox.history().newest().outcome(), "done");
    }

    #[test]
    fn ignored_and_blocked_signals_are_terraforms_too() {
        let sandbox = suffering();
        sandbox.write("go", "");
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGQUIT, Signal::SIGUSR1] {
            let ignoring = sandbox.tf(["apply"]).with_ignored(signal).run();
            assert!(ignoring.assert_status(0).only_call().has_ignored(signal));
            let blocking = sandbox.tf(["apply"]).with_blocked(signal).run();
            assert!(blocking.assert_status(0).only_call().has_blocked(signal));
        }
        let plain = sandbox.tf(["apply"]).run();
        assert_eq!(plain.only_call().blocked, 0, "nothing is blocked that was not");
    }

    #[test]
    fn an_ignored_child_signal_loses_no_status() {
        let sandbox = Sandbox::new().with_fake(
            Scenario::terraform().on(["apply"], [Step::write(STATE, "x"), Step::Exit(7)]),
        );
        let transcript = sandbox.tf(["apply"]).with_ignored(Signal::SIGCHLD).run();
        transcript.assert_status(7);
        assert_eq!(sandbox.history().newest().end["exit"], 7);
    }

    #[test]
    fn an_ignored_child_signal_loses_no_answer_of_a_helper() {
        let sandbox = remote(Scenario::terraform().on(["apply"], [Step::Exit(7)]));
        sandbox.write(STATE, states::state(3, &["a"]));
        let transcript = sandbox.tf(["apply"]).with_ignored(Signal::SIGCHLD).run();
        transcript.assert_status(7);
        let operation = sandbox.history().newest();
        assert_eq!((operation.before_status(), operation.after_status()), ("ok", "ok"));
    }
}

/// A fake with a remote backend, whose state is that of `state pull`.
fn remote(scenario: Scenario) -> Sandbox {
    let sandbox = Sandbox::new().with_fake(scenario);
    let config = r#"{"address":"http://127.0.0.1:9/state"}"#;
    sandbox.write(
        ".terraform/terraform.tfstate",
        format!(r#"{{"version":3,"backend":{{"type":"http","config":{config},"hash":1}}}}"#),
    );
    sandbox
}

mod before_and_after {
    use super::*;

    #[test]
    fn a_signal_before_terraform_starts_ends_the_shim_and_nothing_is_begun() {
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            let slow = [Step::touch("pulling"), Step::await_file("go")];
            let sandbox = remote(Scenario::terraform().on(["state", "pull"], slow));
            let running = sandbox.tf(["apply"]).start();
            running.wait_for_file("pulling");
            running.signal(signal);
            let transcript = running.finish();
            sandbox.write("go", "");
            assert_eq!(transcript.end, End::by(signal), "{transcript}");
            assert_eq!(transcript.calls().len(), 1, "only the pull: {transcript}");
            assert!(sandbox.histories().is_empty(), "nothing is begun");
        }
    }

    #[test]
    fn an_ignored_signal_before_terraform_starts_ends_nothing() {
        let slow = [Step::touch("pulling"), Step::await_file("go")];
        let scenario =
            Scenario::terraform().on(["state", "pull"], slow).on(["apply"], [Step::Exit(0)]);
        let sandbox = remote(scenario);
        let running = sandbox.tf(["apply"]).with_ignored(Signal::SIGHUP).start();
        running.wait_for_file("pulling");
        running.signal_group(Signal::SIGHUP);
        sandbox.write("go", "");
        running.finish().assert_status(0);
    }

    /// Starts an apply on a remote state, lets Terraform end, and returns while the after-image is being
    /// pulled.
    fn pulling_after(sandbox: &Sandbox) -> Running<'_> {
        sandbox.write(STATE, states::state(3, &["a"]));
        let running = sandbox.tf(["apply"]).start();
        running.wait_for_file("ready");
        let slow =
            [Step::touch("pulling"), Step::await_file("release"), Step::PrintState(STATE.into())];
        sandbox.play(Scenario::terraform().on(["state", "pull"], slow));
        sandbox.write("go", "");
        running.wait_for_file("pulling");
        running
    }

    /// The part of such an apply.
    fn slow_apply() -> Scenario {
        let part = [
            Step::touch("ready"),
            Step::await_file("go"),
            Step::write(STATE, states::state(4, &["a", "b"])),
            Step::Exit(3),
        ];
        Scenario::terraform().on(["apply"], part)
    }

    #[test]
    fn the_first_signal_after_terraforms_end_is_only_noted() {
        let sandbox = remote(slow_apply());
        let running = pulling_after(&sandbox);
        running.signal(Signal::SIGINT);
        wait_until("the signal to be taken", || !is_pending(running.pid(), Signal::SIGINT));
        sandbox.write("release", "");
        running.finish().assert_status(3);
        let operation = sandbox.history().newest();
        assert!(operation.after == Some(states::state(4, &["a", "b"]).into_bytes()));
        assert_eq!(operation.end["exit"], 3);
    }

    /// Stops the shim alone, sees that it stops, and continues it.
    fn stop_and_continue(shim: u32) {
        send(shim, Signal::SIGTSTP);
        wait_until("the shim to stop", || state_of(shim) == Some('T'));
        send(shim, Signal::SIGCONT);
        wait_until("the shim to go on", || state_of(shim) != Some('T'));
    }

    #[test]
    fn the_shim_can_be_stopped_while_it_saves_what_terraform_left() {
        let sandbox = remote(slow_apply());
        let running = pulling_after(&sandbox);
        stop_and_continue(running.pid());
        sandbox.write("release", "");
        running.finish().assert_status(3);
        assert_eq!(sandbox.history().newest().outcome(), "failed");
    }

    #[test]
    fn the_shim_can_be_stopped_while_it_saves_what_it_found() {
        let sandbox = counting();
        sandbox.write("go", "");
        sandbox.tf(["apply"]).run().assert_status(0);
        std::fs::remove_file(sandbox.project().join("ready")).unwrap();
        let lock = std::fs::File::open(sandbox.store().join("lock")).unwrap();
        let lock = Flock::lock(lock, FlockArg::LockExclusive).unwrap();
        let running = sandbox.tf(["apply"]).start();
        let shim = running.pid();
        wait_until("the shim to take signals in hand", || is_blocked(shim, Signal::SIGTSTP));
        send(shim, Signal::SIGTSTP);
        lock.unlock().unwrap();
        wait_until("the shim to stop", || state_of(shim) == Some('T'));
        assert!(!sandbox.has("ready"), "Terraform is not started while it is stopped");
        send(shim, Signal::SIGCONT);
        running.finish().assert_status(0);
    }

    #[test]
    fn a_second_signal_after_terraforms_end_abandons_the_after_image_and_the_next_call_closes() {
        let sandbox = remote(slow_apply());
        let running = pulling_after(&sandbox);
        for _ in 0..2 {
            running.signal(Signal::SIGINT);
            wait_until("the signal to be taken", || !is_pending(running.pid(), Signal::SIGINT));
        }
        let transcript = running.finish();
        transcript.assert_status(3);
        assert_eq!(sandbox.history().newest().outcome(), "", "the record is open");
        sandbox.write("release", "");
        sandbox.play(Scenario::terraform().on(["apply"], [Step::Exit(0)]));
        sandbox.tf(["apply"]).run().assert_status(0);
        let operations = sandbox.history().runs();
        assert_eq!(operations.len(), 2, "{operations:#?}");
        assert_eq!(operations[0].outcome(), "unknown");
        assert!(operations[0].after == Some(states::state(4, &["a", "b"]).into_bytes()));
    }

    #[test]
    fn a_real_backend_that_stalls_after_the_run_does_not_hold_an_impatient_person() {
        let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
        let backend = HttpBackend::start();
        let config = backend.configuration() + &stage::slow_resource("slow", &sandbox.project());
        sandbox.write("main.tf", config);
        sandbox.terraform(["init"]).run().assert_status(0);
        let running = sandbox.tf(["apply", "-auto-approve"]).start();
        running.wait_for_file("begun");
        sandbox.write("go", "");
        // UNLOCK is the last thing Terraform says; the next GET is ours.
        wait_until("the end of Terraform", || {
            backend.requests().iter().any(|request| request.starts_with("UNLOCK"))
        });
        backend.set_fault(Some(shim_tests::backend::Fault::Stall));
        let mut running = running;
        let shim = running.pid();
        wait_until("the end, or our pull", || {
            running.has_ended() || backend.requests().last().is_some_and(|r| r.starts_with("GET"))
        });
        for _ in 0..2 {
            if !running.has_ended() {
                running.signal(Signal::SIGTERM);
                wait_until("the signal to be taken", || !is_pending(shim, Signal::SIGTERM));
            }
        }
        let transcript = running.finish();
        backend.set_fault(None);
        transcript.assert_status(0);
    }
}

mod killed {
    use super::*;

    #[test]
    fn the_witness_goes_away_with_a_killed_shim_and_terraform_stays() {
        let sandbox = suffering();
        let running = sandbox.tf(["apply"]).start();
        running.wait_for_file("ready");
        let (shim, fake, witness) = tree(&sandbox);
        send(shim, Signal::SIGKILL);
        wait_until("the end of the witness", || !is_alive(witness));
        assert!(is_alive(fake), "Terraform is left alone");
        sandbox.write("go", "");
        assert_eq!(running.finish().end, End::by(Signal::SIGKILL));
        wait_until("the end of Terraform", || !is_alive(fake));
        let open = sandbox.history().newest();
        assert!(open.end.is_null(), "{open:#?}");
        sandbox.play(Scenario::terraform().on(["apply"], []));
        sandbox.tf(["apply"]).run().assert_status(0);
        let history = sandbox.history();
        let operations = history.runs();
        assert_eq!(operations.len(), 2, "closed, not seen as an outside change: {operations:#?}");
        assert_eq!(operations[0].outcome(), "unknown");
        assert!(operations[0].after == Some(states::state(2, &["a"]).into_bytes()));
        assert!(operations[1].before == Some(states::state(2, &["a"]).into_bytes()));
        assert!(history.running().is_empty(), "{:?}", history.running());
    }

    #[test]
    fn a_second_command_while_the_orphaned_terraform_still_works_does_not_close_it() {
        let sandbox = suffering();
        let running = sandbox.tf(["apply"]).start();
        running.wait_for_file("ready");
        let (shim, fake, _) = tree(&sandbox);
        send(shim, Signal::SIGKILL);
        sandbox.play(Scenario::terraform().on(["taint"], []));
        sandbox.tf(["taint", "x"]).run().assert_status(0);
        let operations = sandbox.history().runs();
        assert!(operations[0].end.is_null(), "it still runs: {operations:#?}");
        assert_eq!(operations[1].before_status(), "unknown", "{operations:#?}");
        sandbox.write("go", "");
        assert_eq!(running.finish().end, End::by(Signal::SIGKILL));
        wait_until("the end of Terraform", || !is_alive(fake));
        sandbox.tf(["taint", "x"]).run().assert_status(0);
        let operations = sandbox.history().runs();
        assert!(operations.iter().all(|o| o.kind != "run" || !o.end.is_null()), "{operations:#?}");
        assert_eq!(operations[0].outcome(), "unknown");
        let known = sandbox
            .history()
            .operations()
            .iter()
            .any(|operation| operation.after == Some(states::state(2, &["a"]).into_bytes()));
        assert!(known, "what the orphan wrote is in the history: {operations:#?}");
    }

    #[test]
    fn terraform_killed_is_our_death_too() {
        let sandbox = suffering();
        let running = sandbox.tf(["apply"]).start();
        running.wait_for_file("ready");
        let (_, fake, witness) = tree(&sandbox);
        send(fake, Signal::SIGKILL);
        assert_eq!(running.finish().end, End::by(Signal::SIGKILL));
        assert!(!is_alive(witness));
        let operation = sandbox.history().newest();
        assert_eq!((operation.outcome(), &operation.end["signal"]), ("killed", &9.into()));
    }
}

/// A child's end that were delivered, not read, could come between the look at the child and the wait for it: a
/// wait without an end, once in thousands of runs. So it must be blocked, in a guarded command as in each step of
/// a check.
#[test]
fn the_end_of_terraform_is_read_and_cannot_slip_by() {
    let sandbox = suffering();
    let running = sandbox.tf(["apply"]).start();
    running.wait_for_file("ready");
    assert!(is_blocked(running.pid(), Signal::SIGCHLD));
    sandbox.write("go", "");
    running.finish().assert_status(0);

    let part = [Step::touch("planning"), Step::await_file("plan"), Step::Exit(1)];
    let sandbox = Sandbox::new().with_fake(Scenario::terraform().on(["plan"], part));
    sandbox.write("main.tf", "");
    let running = sandbox.tf(["shim", "check", "--yes"]).start();
    running.wait_for_file("planning");
    assert!(is_blocked(running.pid(), Signal::SIGCHLD));
    sandbox.write("plan", "");
    running.finish().assert_status(4);
}
