//! What is drawn on a terminal: colours, and lines as long as the window is wide.

use shim_tests::scene::{Played, Scene};
use shim_tests::{Size, stage};

/// Command lines that draw, one after the other, in one directory.
const LINES: [&str; 22] = [
    "",
    "-help",
    "apply -help",
    "version",
    "init",
    "validate",
    "plan",
    "plan -state=terraform.tfstate -no-color",
    "apply -auto-approve -state=terraform.tfstate",
    "apply -auto-approve -replace=terraform_data.b -compact-warnings",
    "show",
    "output",
    "state list",
    "state rm terraform_data.b",
    "import terraform_data.b an-id",
    "import terraform_data.nowhere an-id",
    "taint terraform_data.b",
    "untaint terraform_data.b",
    "apply -target=terraform_data.b -auto-approve",
    "refresh",
    "destroy -auto-approve",
    "workspace new other",
];

/// A configuration with something to warn of and something to tell at length.
fn talkative() -> Scene {
    let check = "check \"c\" {\n  assert {\n    condition     = terraform_data.b.input == \"c\"\n    \
                 error_message = \"This goes on for longer than a window of forty columns is wide, and \
                 then for longer than one of eighty.\"\n  }\n}\n";
    let output = "output \"o\" {\n  description = \"d\"\n  value = terraform_data.b.input\n}\n";
    // One needs the other, so that Terraform takes them in one order.
    let b = stage::resource("b", "${terraform_data.a.input}-b");
    Scene::real(&[&b, check, output].concat())
}

/// Has a script run those lines on a terminal of a size.
fn drawn(scene: &Scene, size: Size) -> Played {
    scene.compare(|stage| {
        let lines = LINES.map(|line| format!("terraform {line}; echo status $?\n")).concat();
        let running = stage.program("sh", ["-c", &lines]).on_terminal_of(size).start();
        stage.take(running)
    })
}

#[test]
fn every_size_of_a_window_is_drawn_for() {
    for (columns, lines) in [(80, 24), (33, 12), (0, 0)] {
        drawn(&talkative(), Size { columns, lines }).shows(LINES.len(), "status ");
    }
}

#[test]
fn a_window_that_changes_between_question_and_answer_is_drawn_for() {
    let variable = "variable \"v\" {}\noutput \"o\" {\n  value = var.v\n}\n";
    for (line, answers) in [("plan", 1), ("apply", 2), ("destroy", 2)] {
        let played = Scene::real(variable).compare(|stage| {
            let mut running = stage.call([line]).on_terminal().start();
            for at in 0..answers {
                running.wait_for_texts(at + 1, "Enter a value:");
                running.resize(Size { columns: 50 - 20 * u16::try_from(at).unwrap(), lines: 20 });
                running.type_text(["seven\n", "no\n"][at]);
            }
            stage.take(running)
        });
        played.ended(if line == "plan" { "status: 0" } else { "status: 1" });
    }
}
