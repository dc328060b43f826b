//! Configurations that need no provider and no `init`: the builtin `terraform_data`.

use std::fmt::Write;
use std::path::Path;

/// Returns a resource with that input.
#[must_use]
pub fn resource(name: &str, input: &str) -> String {
    format!("resource \"terraform_data\" \"{name}\" {{\n  input = \"{input}\"\n}}\n")
}

/// Returns a configuration of that many resources.
#[must_use]
pub fn resources(names: &[&str]) -> String {
    names.iter().map(|name| resource(name, name)).collect()
}

/// Returns a resource whose creation runs a shell command, by absolute path of the shell.
#[must_use]
pub fn resource_running(name: &str, script: &str) -> String {
    let mut text = String::new();
    write!(
        text,
        "resource \"terraform_data\" \"{name}\" {{\n  provisioner \"local-exec\" {{\n    \
         interpreter = [\"/bin/sh\", \"-c\"]\n    command     = \"{script}\"\n  }}\n}}\n"
    )
    .expect("a String takes everything");
    text
}

/// Returns a resource whose creation writes Terraform's process id into the file `begun` and then waits
/// for the file `go`, both in the directory `place`, so that a test decides how long an apply takes.
#[must_use]
pub fn slow_resource(name: &str, place: &Path) -> String {
    let place = place.display();
    let script = format!(
        "echo $PPID > {place}/begun; while [ -e {place}/begun ] && [ ! -e {place}/go ]; do /bin/sleep 0.02; done; exit 0"
    );
    resource_running(name, &script)
}

/// As [`slow_resource`]. An interrupt of the whole group leaves the command alone, so that it is Terraform
/// who ends it: else the two race, and Terraform tells of that race.
#[must_use]
pub fn patient_resource_at(name: &str, place: &Path) -> String {
    slow_resource(name, place).replace("\"echo", "\"trap '' 1 2 3 10 12 13 14 15 20; echo")
}

/// As [`patient_resource_at`], in the project of a scene.
#[must_use]
pub fn patient_resource(name: &str) -> String {
    patient_resource_at(name, Path::new("[PROJECT]"))
}
