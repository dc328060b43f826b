//! Two libraries of `PyPI` that call Terraform, run as they are: python-terraform and tftest.
//!
//! They are installed where `TF_SHIM_TESTS_CALLERS` says (`.ci/run callers`); elsewhere the tests skip.

use std::path::Path;

use shim_tests::Transcript;
use shim_tests::callers::{Place, assert_ends, in_both, tools};

use super::{configured, recorded};

/// Runs a script in a place.
fn script(place: &Place, python: &Path, text: &str) -> Transcript {
    place.program(python, ["-c", text]).env("PYTHONDONTWRITEBYTECODE", "1").run()
}

#[test]
fn python_terraform_gets_the_same_three_values() {
    let Some(python) = tools::find_python_with("python_terraform") else { return };
    let text = r#"
from python_terraform import Terraform, IsNotFlagged
t = Terraform(working_dir=".")
print(t.init(reconfigure=IsNotFlagged))
print(t.plan())
print(t.apply(skip_plan=True))
print(t.plan())
print(t.output())
print(t.tfstate.resources[0]["name"])
print(t.cmd("state list"))
print(t.apply(skip_plan=True, var={"other": "1"})[0])
print(t.destroy(force=IsNotFlagged, auto_approve=True))
"#;
    let Some(both) = in_both(configured, |place| vec![script(place, &python, text)]) else {
        return;
    };
    assert_ends(&both.through, &[0]);
    assert_eq!(recorded(&both.place)[..1], ["apply"], "{}", both.through[0]);
}

#[test]
fn tftest_plans_applies_and_reads_outputs() {
    let Some(python) = tools::find_python_with("tftest") else { return };
    let text = r#"
import tftest, os
t = tftest.TerraformTest(os.getcwd())
t.setup(cleanup_on_exit=False)
plan = t.plan(output=True)
print(sorted(plan.resources))
t.apply()
print(t.output())
print(t.state_pull()["serial"])
print(t.destroy())
"#;
    let Some(both) = in_both(configured, |place| vec![script(place, &python, text)]) else {
        return;
    };
    assert_ends(&both.through, &[0]);
    assert!(both.through[0].stdout_text().contains("'small'"), "{}", both.through[0]);
    assert_eq!(recorded(&both.place), ["apply", "destroy"]);
}
