//! What the other chapters rely on: that the harness itself sees what it claims to see.

use nix::sys::signal::Signal;
use shim_tests::backend::{Fault, HttpBackend};
use shim_tests::scenario::Wait;
use shim_tests::{End, Sandbox, Scenario, Step, states};

#[test]
fn a_transcript_reads_as_a_session() {
    let scenario = Scenario::new().on(
        ["plan"],
        [
            Step::stdout("lineage ec80aa96-53d4-44b7-9f0c-6c2b9a1e7d10\n"),
            Step::stderr("snapshot 7c1e9a04 at 2026-11-20T10:00:00Z\n"),
            Step::Exit(2),
        ],
    );
    let sandbox = Sandbox::new().with_fake(scenario);
    let transcript = sandbox
        .terraform(["plan", "-var", "a b", ""])
        .env("TF_VAR_home", sandbox.home().into_os_string())
        .run();
    insta::assert_snapshot!(transcript, @r"
    $ terraform plan -var 'a b' ''
    stdout:
      lineage [LINEAGE1]
    stderr:
      snapshot [ID1] at [TIME]
    status: 2
    calls:
      [PROJECT]$ TF_VAR_home=[HOME] terraform plan -var 'a b' ''
    ");
}

#[test]
fn a_program_in_a_sandbox_has_nothing_of_the_developers_environment() {
    let sandbox = Sandbox::new().with_fake(Scenario::new());
    let transcript = sandbox.terraform(["plan"]).run();
    let mut names: Vec<String> =
        transcript.only_call().environment.iter().map(|(name, _)| name.text()).collect();
    names.sort();
    assert_eq!(
        names.join(" "),
        "CHECKPOINT_DISABLE FAKE_TERRAFORM_SCENARIO HOME LC_ALL PATH TF_SHIM_TEST_IDS \
         TF_SHIM_TEST_NOW TMPDIR TZ"
    );
}

#[test]
fn a_terminal_is_seen_as_one_and_ctrl_c_comes_from_the_kernel() {
    let part = [
        Step::catch([Signal::SIGINT]),
        Step::stdout("ready\n"),
        Step::AwaitSignals(1),
        Step::Exit(1),
    ];
    let sandbox = Sandbox::new().with_fake(Scenario::new().on(["apply"], part));
    let mut running = sandbox.terraform(["apply"]).on_terminal().start();
    running.wait_for_text("ready");
    running.type_text("\x03");
    let transcript = running.finish();
    transcript.assert_status(1);
    let call = transcript.only_call();
    assert!(call.streams.iter().all(|stream| stream.is_terminal), "{:?}", call.streams);
    assert_eq!((call.sid, call.pgid), (call.pid, call.pid));
    assert_eq!(transcript.caught(), [Signal::SIGINT]);
    let kernel = |event: &_| matches!(event, shim_tests::Event::Caught { code: 128, .. });
    assert!(transcript.events.iter().any(kernel), "{:?}", transcript.events);
    assert_eq!(transcript.screen.as_deref(), Some(&b"ready\n^C"[..]));
}

#[test]
fn a_line_is_read_without_touching_the_next() {
    let again = Step::Run(None, vec!["version".into()], Wait::ForEnd);
    let scenario =
        Scenario::new().on(["apply"], [Step::ReadLine, again]).on(["version"], [Step::ReadLine]);
    let sandbox = Sandbox::new().with_fake(scenario);
    let transcript = sandbox.terraform(["apply"]).stdin("yes\nno\n").run();
    assert_eq!(transcript.read_by_fake(), b"yes\nno\n");
    assert_eq!(transcript.calls().len(), 2);
}

#[test]
fn a_part_that_dies_half_way_leaves_what_it_had_written() {
    let whole = states::state(3, &["a"]);
    let steps = [
        Step::write("terraform.tfstate", whole.clone()),
        Step::Truncate("terraform.tfstate".into(), 100),
        Step::die(Signal::SIGKILL),
    ];
    let sandbox = Sandbox::new().with_fake(Scenario::new().on(["apply"], steps));
    let transcript = sandbox.terraform(["apply"]).run();
    assert_eq!(transcript.end, End::by(Signal::SIGKILL));
    assert_eq!(sandbox.read("terraform.tfstate"), &whole.as_bytes()[..100]);
    let done =
        transcript.events.iter().any(|event| matches!(event, shim_tests::Event::Done { .. }));
    assert!(!done, "a dead program does not say that it is done");
}

#[test]
fn a_raised_serial_is_the_only_thing_that_changes() {
    let sandbox = Sandbox::new()
        .with_fake(Scenario::new().on(["apply"], [Step::RaiseSerial("terraform.tfstate".into())]));
    for (serial, next) in [(7, 8), (9, 10)] {
        sandbox.write("terraform.tfstate", states::state(serial, &["a", "b"]));
        let _done = sandbox.terraform(["apply"]).run();
        assert_eq!(sandbox.read("terraform.tfstate"), states::state(next, &["a", "b"]).as_bytes());
    }
}

#[test]
fn a_real_terraform_keeps_its_state_in_the_http_backend() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    let backend = HttpBackend::start();
    sandbox.write("backend.tf", backend.configuration());
    sandbox.write("main.tf", "resource \"terraform_data\" \"x\" {\n  input = \"1\"\n}\n");
    sandbox.terraform(["init"]).run().assert_status(0);
    sandbox.terraform(["apply", "-auto-approve"]).run().assert_status(0);
    let state = String::from_utf8(backend.state().expect("a state was sent")).unwrap();
    assert!(state.contains("\"name\": \"x\""), "{state}");
    assert!(!backend.is_locked());
    let requests = backend.requests().join(" ");
    assert!(requests.contains("LOCK /state GET /state"), "{requests}");
    assert!(requests.contains("POST /state?ID="), "{requests}");
}

#[test]
fn a_real_terraform_meets_the_faults_of_the_http_backend() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    let backend = HttpBackend::start();
    sandbox.write("backend.tf", backend.configuration());
    sandbox.write("main.tf", "resource \"terraform_data\" \"x\" {\n  input = \"1\"\n}\n");
    sandbox.terraform(["init"]).run().assert_status(0);
    backend.set_fault(Some(Fault::RefuseWrites));
    sandbox.terraform(["apply", "-auto-approve"]).run().assert_status(1);
    assert!(sandbox.has("errored.tfstate"), "what could not be sent is kept in a file");
    backend.set_fault(Some(Fault::RefuseReads));
    sandbox.terraform(["state", "pull"]).run().assert_status(1);
    backend.set_fault(None);
    backend.lock();
    let locked = sandbox.terraform(["apply", "-auto-approve"]).run();
    assert!(locked.stderr_text().contains("Error acquiring the state lock"), "{locked}");
    backend.unlock();
    backend.set_state(Some(states::state(5, &["x"]).into_bytes()));
    backend.set_fault(Some(Fault::Stall));
    let before = backend.requests().len();
    let mut slow = sandbox.terraform(["state", "pull"]).start();
    shim_tests::wait_until("the request", || backend.requests().len() > before);
    assert!(!slow.has_ended(), "a stalled server keeps its client waiting");
    backend.set_fault(None);
    let pulled = slow.finish();
    assert_eq!(pulled.stdout_text(), format!("{}\n", states::state(5, &["x"])));
}
