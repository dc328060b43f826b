//! What Terraform asks, and what a person types.

use shim_tests::scene::{Played, Scene};
use shim_tests::{Running, stage, wait_until};

/// Types each text where the prompt is shown once more, and compares.
fn answered(scene: &Scene, line: &[&str], prompt: &str, typed: &[&str]) -> Played {
    scene.compare(|stage| {
        let mut running = stage.call(line.iter().copied()).on_terminal().start();
        for (at, text) in typed.iter().enumerate() {
            running.wait_for_texts(at + 1, prompt);
            running.type_text(text);
        }
        stage.take(running)
    })
}

const APPROVAL: &str = "Enter a value:";

#[test]
fn an_approval_is_given() {
    for line in [["apply"], ["destroy"]] {
        let scene = Scene::real(&stage::resource("b", "b"));
        answered(&scene, &line, APPROVAL, &["yes\n"]).ended("status: 0");
        let corrected = &["yess\x7f\n"];
        answered(&scene.called_tf(), &line, APPROVAL, corrected).ended("status: 0");
    }
}

#[test]
fn an_approval_is_not_given() {
    let scene = Scene::real(&stage::resource("b", "b"));
    for line in ["apply", "destroy"] {
        for typed in ["no\n", "\n", "y\n", "\x04", "\x03"] {
            answered(&scene, &[line], APPROVAL, &[typed]).ended("status: 1");
        }
    }
}

/// A configuration that asks for a variable.
fn asking(more: &str) -> Scene {
    let variable = format!("variable \"v\" {{\n  description = \"What it is\"\n{more}}}\n");
    Scene::real(&(variable + "output \"o\" {\n  value = nonsensitive(var.v)\n}\n"))
}

#[test]
fn a_variable_is_asked_for() {
    let scene = asking("");
    answered(&scene, &["plan"], APPROVAL, &["seven\n"]).ended("status: 0");
    answered(&scene, &["apply"], APPROVAL, &["seven\n", "yes\n"]).ended("status: 0");
    answered(&scene, &["apply", "-auto-approve"], APPROVAL, &["\x04"]).ended("status: 1");
    for line in ["plan", "apply", "destroy", "refresh"] {
        answered(&scene, &[line], APPROVAL, &["\x03"]).ended("status: 1");
    }
    let import = ["import", "terraform_data.a", "some-id"];
    answered(&scene, &import, APPROVAL, &["\x03"]).ended("status: 1");
}

#[test]
fn a_secret_is_asked_for_without_an_echo() {
    let scene = asking("  sensitive = true\n");
    for line in [&["plan"][..], &["destroy", "-auto-approve"]] {
        for typed in ["seven\n", "\x04", "\x03"] {
            // After Ctrl-C Terraform alone has two ends: an error with status 1, the echo left off, or its
            // reader of secrets ends the process with 255 at once, the lock info left.
            let played = scene.compare(|stage| {
                let mut running = stage.call(line.iter().copied()).on_terminal().start();
                running.wait_for_text(APPROVAL);
                wait_until("the echo to be off", || running.changed_settings().is_some());
                running.type_text(typed);
                stage.take(running)
            });
            played.shows(1, APPROVAL).shows(0, "\u{1b}[0mseven");
        }
    }
}

#[test]
fn init_asks_whether_to_move_the_state() {
    let moved = "terraform {\n  backend \"local\" {\n    path = \"elsewhere.tfstate\"\n  }\n}\n";
    for (typed, end) in [("yes\n", "0"), ("no\n", "0"), ("\x04", "1"), ("\x03", "1")] {
        let scene = Scene::real(moved);
        let prompt = "Enter a value:";
        answered(&scene, &["init"], prompt, &[typed]).ended(&format!("status: {end}"));
    }
}

#[test]
fn a_console_reads_lines_and_keys() {
    let keys = [
        "1 + 1\n",
        "\x1b[A\n",
        "upper(\"x\"\x7f\x7f\"y\")\n",
        "\x1b[A\x1b[A\n",
        "2 + \x15 3 * 3\n",
    ];
    for leave in ["exit\n", "\x04", "\x03"] {
        let typed: Vec<&str> = keys.into_iter().chain([leave]).collect();
        let scene = Scene::real("");
        scene.called_tf().compare(|stage| {
            let mut running = stage.call(["console"]).on_terminal().start();
            for text in &typed {
                quiet(&running);
                running.type_text(text);
            }
            stage.take(running)
        });
    }
}

/// Waits until a console waits for a line: its prompt is the last that is on the screen.
fn quiet(running: &Running<'_>) {
    wait_until("the prompt", || {
        let screen = String::from_utf8_lossy(&running.screen()).into_owned();
        screen.rsplit('\n').next().is_some_and(|line| line.contains("> "))
    });
}
