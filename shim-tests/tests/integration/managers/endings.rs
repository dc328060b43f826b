//! Exit statuses, signals, stdin and the terminal through a manager: as the manager alone has them.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shim_tests::{End, Invocation, Running, Transcript};

use super::{Manager, Sandbox, Scenario, Step, managed, path, program, states};

/// Those that pass streams and signals on: not the wrapper of setup-terraform, which captures them.
fn managers() -> Vec<Manager> {
    Manager::choosing()
}

/// A project behind a manager; we are in front of it.
fn behind_us(manager: Manager, scenario: Scenario) -> Sandbox {
    let sandbox = managed(manager, scenario);
    let path = path(&sandbox, manager, &["us", "manager", "bin"]);
    sandbox.write(super::STATE, states::state(1, &["a"]));
    sandbox.with_variable("PATH", path)
}

/// The same call, of the manager alone and of us.
fn both<'s>(sandbox: &'s Sandbox, manager: Manager, words: &[&str]) -> [Invocation<'s>; 2] {
    let call = |program: std::path::PathBuf| sandbox.program(&program, words.iter().copied());
    [call(manager.terraform(sandbox)), call(sandbox.path("us/terraform"))]
}

#[test]
fn statuses_and_deaths_are_those_of_the_manager_alone() {
    let ends = [Step::Exit(0), Step::Exit(1), Step::Exit(2), Step::Exit(125), Step::Exit(255)];
    let deaths = [Signal::SIGKILL, Signal::SIGSEGV, Signal::SIGPIPE].map(Step::die);
    for manager in Manager::all() {
        let sandbox = behind_us(manager, Scenario::terraform());
        for end in ends.iter().chain(&deaths) {
            let part = [Step::stdout("out\n"), Step::stderr("err\n"), end.clone()];
            let part = Scenario::terraform().on(["plan"], part.clone()).on(["apply"], part);
            sandbox.play(part);
            for words in [["plan"], ["apply"]] {
                let [alone, ours] = both(&sandbox, manager, &words).map(Invocation::run);
                assert_eq!(ours.end, alone.end, "{manager:?} {words:?} {end:?} {ours}");
                let said =
                    |transcript: &Transcript| (transcript.stdout_text(), transcript.stderr_text());
                assert_eq!(said(&ours), said(&alone), "{manager:?} {words:?} {end:?}");
            }
        }
    }
}

#[test]
fn stdin_reaches_terraform_unread() {
    let part =
        Scenario::terraform().on(["plan"], [Step::EchoStdin]).on(["apply"], [Step::ReadLine]);
    for manager in managers() {
        let sandbox = behind_us(manager, part.clone());
        let us = sandbox.path("us/terraform");
        let planned = sandbox.program(&us, ["plan"]).stdin("one\ntwo\n").run();
        assert_eq!(planned.assert_status(0).stdout_text(), "one\ntwo\n", "{manager:?}");
        let applied = sandbox.program(&us, ["apply"]).stdin("yes\nmore\n").run();
        assert_eq!(applied.assert_status(0).read_by_fake(), b"yes\n", "{manager:?}");
    }
}

/// A part that counts interrupts until the file `go` is there.
fn counting() -> Scenario {
    let part = [
        Step::catch([Signal::SIGINT, Signal::SIGTERM, Signal::SIGUSR2]),
        Step::touch("ready"),
        Step::await_file("go"),
        Step::write(super::STATE, states::state(2, &["a"])),
    ];
    Scenario::terraform().on(["apply"], part)
}

/// Ends a run that counts, and gives what was caught. "Not twice" cannot be waited for, so the last signal is
/// SIGUSR2, sent to the process that was started: where that is us, it arrives after everything sent before.
/// tenv would die of it, and drops every interrupt of ours besides; there Terraform gets it directly.
fn counted(
    sandbox: &Sandbox,
    manager: Manager,
    running: Running<'_>,
    expected: usize,
) -> Vec<Signal> {
    if manager.supervises() {
        let terraform = Pid::from_raw(sandbox.calls().pop().unwrap().pid);
        kill(terraform, Signal::SIGUSR2).unwrap();
    } else {
        running.signal(Signal::SIGUSR2);
    }
    running.wait_for_signals(expected + 1);
    sandbox.write("go", "");
    let transcript = running.finish();
    assert_eq!(transcript.end, End::Status(0), "{transcript}");
    let mut caught = transcript.caught();
    caught.retain(|signal| *signal != Signal::SIGUSR2);
    caught
}

#[test]
fn an_interrupt_of_the_group_reaches_terraform_once() {
    for manager in managers() {
        let sandbox = behind_us(manager, counting());
        let running = sandbox.program(&sandbox.path("us/terraform"), ["apply"]).start();
        running.wait_for_file("ready");
        running.signal_group(Signal::SIGINT);
        running.wait_for_signals(1);
        assert_eq!(counted(&sandbox, manager, running, 1), [Signal::SIGINT], "{manager:?}");
        assert_eq!(sandbox.history().newest().outcome(), "done");
    }
}

/// Sent to us alone it reaches what we have started. tenv drops it there: the same without us.
#[test]
fn an_interrupt_to_us_alone_reaches_terraform_as_often_as_one_to_the_manager_alone() {
    for manager in managers() {
        let sandbox = behind_us(manager, counting());
        let expected: &[Signal] = if manager.supervises() { &[] } else { &[Signal::SIGINT] };
        let mut seen = Vec::new();
        for call in both(&sandbox, manager, &["apply"]) {
            for name in ["ready", "go"] {
                let _gone = std::fs::remove_file(sandbox.project().join(name));
            }
            let running = call.start();
            running.wait_for_file("ready");
            running.signal(Signal::SIGINT);
            seen.push(counted(&sandbox, manager, running, expected.len()));
        }
        assert_eq!(seen, [expected, expected], "{manager:?}");
    }
}

/// The terminal is Terraform's, also where tenv puts it into a group of its own.
#[test]
fn ctrl_c_on_a_terminal_reaches_terraform_once() {
    for manager in managers() {
        let sandbox = behind_us(manager, counting());
        let us = sandbox.path("us/terraform");
        let mut running = sandbox.program(&us, ["apply"]).on_terminal().start();
        running.wait_for_file("ready");
        running.type_text("\x03");
        running.wait_for_signals(1);
        let call = sandbox.calls().pop().unwrap();
        assert!(call.streams.iter().all(|stream| stream.is_terminal), "{manager:?}");
        assert_eq!(program(&call), super::chosen(manager, &sandbox));
        assert_eq!(counted(&sandbox, manager, running, 1), [Signal::SIGINT], "{manager:?}");
    }
}
