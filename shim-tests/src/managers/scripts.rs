//! The stand-ins that are scripts, as the programs they stand for are.

/// tfenv's `bin/terraform`: becomes the `tfenv` beside it.
pub(super) const TFENV_TERRAFORM: &str = r#"#!/usr/bin/env bash
exec "${0%/*}/tfenv" exec "$@"
"#;

/// tfenv's `bin/tfenv`: sees that its own directories are in `PATH`, becomes the command.
pub(super) const TFENV: &str = r#"#!/usr/bin/env bash
export TFENV_ROOT="${0%/*/*}" TFENV_DIR="$PWD"
for name in libexec bin; do
  [[ ":$PATH:" == *":$TFENV_ROOT/$name:"* ]] || export PATH="$TFENV_ROOT/$name:$PATH"
done
exec "tfenv-$1" "${@:2}"
"#;

/// tfenv's `libexec/tfenv-exec`: finds the version and becomes it. What goes into `PATH` is a file.
pub(super) const TFENV_EXEC: &str = r#"#!/usr/bin/env bash
for word in "$@"; do
  [[ "$word" == -chdir=* ]] && export TFENV_DIR="$PWD/${word#-chdir=}"
done
place="$TFENV_DIR"
until [[ -e "$place/.terraform-version" || -z "$place" ]]; do place="${place%/*}"; done
export TFENV_VERSION="$(< "$place/.terraform-version")"
program="$TFENV_ROOT/versions/$TFENV_VERSION/terraform"
export PATH="$program:$PATH"
exec "$program" "$@"
"#;

/// asdf's shim, the same before and since 0.16.
pub(super) const ASDF_SHIM: &str = r#"#!/usr/bin/env bash
# asdf-plugin: terraform 1.9.8
exec asdf exec "terraform" "$@"
"#;

/// asdf up to 0.15: finds the version for the working directory, takes its shims out of `PATH`, puts the
/// version's directory in front, and becomes it.
pub(super) const ASDF: &str = r#"#!/usr/bin/env bash
root="${0%/*/*}" place="$PWD"
until [[ -e "$place/.tool-versions" || -z "$place" ]]; do place="${place%/*}"; done
read -r _ version < "$place/.tool-versions"
directory="$root/installs/terraform/$version/bin"
path=":$PATH:"
path="${path//":$root/shims:"/:}" path="${path#:}"
export PATH="$directory:${path%:}"
exec "$directory/$2" "${@:3}"
"#;

/// setup-terraform's wrapper: starts `terraform-bin`, passes on what it says, keeps it, and writes it into the
/// outputs of the step; where there is no file for them, in the old way, on stdout. Its own stdin goes nowhere, as
/// with `@actions/exec`.
pub(super) const SETUP_TERRAFORM: &str = r"#!/usr/bin/env node
const { spawn } = require('child_process');
const { appendFileSync } = require('fs');

const output = (name, value) => {
  const file = process.env.GITHUB_OUTPUT;
  if (file) appendFileSync(file, `${name}<<ghadelimiter_1\n${value}\nghadelimiter_1\n`);
  else process.stdout.write(`\n::set-output name=${name}::${value}\n`);
};
const program = `${process.env.TERRAFORM_CLI_PATH}/terraform-bin`;
const child = spawn(program, process.argv.slice(2), { stdio: ['pipe', 'pipe', 'pipe'] });
const said = { stdout: '', stderr: '' };
for (const name of ['stdout', 'stderr']) {
  child[name].on('data', (data) => { said[name] += data; process[name].write(data); });
}
child.on('close', (code) => {
  output('stdout', said.stdout);
  output('stderr', said.stderr);
  output('exitcode', `${code}`);
  if (code === 0 || code === 2) return;
  process.exitCode = 1;
  process.stdout.write(`::error::Terraform exited with code ${code}.\n`);
});
";
