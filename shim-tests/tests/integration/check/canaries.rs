//! Secrets of every kind, each a word that is found nowhere else: none of them is in anything that a check
//! prints, reports or keeps as evidence, however it ends.
//!
//! The state holds them all, and so do the store's snapshots: that is what they are for.

use std::collections::BTreeMap;
use std::path::Path;

use nix::sys::signal::Signal;
use regex::{Captures, Regex};
use shim_tests::provider::Step;
use shim_tests::shim::{shim, tree};
use shim_tests::{Invocation, Transcript, wait_until};

use super::{Checked, Stage};

/// Where secrets come from. What stands between `@` is a canary.
const VARIABLES: &str = r#"
variable "flag" { sensitive = true }
variable "flag_in_one_word" { sensitive = true }
variable "environment" { sensitive = true }
variable "inserted" { sensitive = true }
variable "file" { sensitive = true }
variable "automatic" { sensitive = true }
variable "by_default" {
  sensitive = true
  default   = "@by default@"
}
variable "key" { sensitive = true }
variable "document" { sensitive = true }
variable "pin" {
  type      = number
  sensitive = true
}
variable "list" {
  type      = list(string)
  sensitive = true
}
variable "map" {
  type      = map(string)
  sensitive = true
}
variable "account" {
  sensitive = true
  type      = object({ user = string, password = string, deep = object({ keys = list(string) }) })
}
variable "passing" {
  type      = string
  ephemeral = true
}
variable "passing_environment" {
  type      = string
  ephemeral = true
  sensitive = true
}
"#;

/// The values of the variables in files.
const VALUES: &str = r#"
file = "@file@"
list = ["@list first@", "@list second@"]
account = {
  user     = "@account user@"
  password = "@account password@"
  deep     = { keys = ["@account key@", "@account other key@"] }
}
"#;

/// Where secrets go.
const RESOURCES: &str = r#"
provider "fake" {
  alias = "opener"
  token = "@provider@"
}
ephemeral "fake_token" "t" {
  provider = fake.opener
  prefix   = "@ephemeral@"
}
resource "fake_secret" "attribute" {
  password          = "@Attribute@"
  mode              = "case"
  secret_wo         = "@write only@"
  secret_wo_version = 1
}
resource "fake_secret" "ephemeral" {
  password          = var.flag
  secret_wo         = "${ephemeral.fake_token.t.token}${var.passing}${var.passing_environment}"
  secret_wo_version = 1
}
resource "fake_normalised" "rewritten" {
  mode  = "case"
  value = sensitive("@Rewritten@")
  items = [sensitive("@Item@"), var.flag_in_one_word]
  tags  = sensitive({ "@Name of a tag@" = "@Tag@" })
  rule {
    cidr = sensitive("@Block@")
  }
}
resource "fake_normalised" "json" {
  mode  = "json"
  value = sensitive("{ \"b\": \"@json@\", \"a\": [\"@json in a list@\"] }")
}
resource "fake_normalised" "replaced" {
  mode  = "case"
  force = sensitive("@Force@")
}
resource "fake_legacy" "stored" {
  mode  = "space"
  value = "${var.environment} "
}
resource "fake_shared" "named" {
  object = sensitive("@object@")
  value  = var.inserted
}
resource "fake_thing" "all" {
  name   = var.file
  value  = "prefix-${var.automatic}-suffix"
  tags   = var.map
  labels = var.list
  items  = var.account.deep.keys
  json   = jsonencode(var.account)
  number = var.pin
}
resource "terraform_data" "changing" {
  input            = { secret = sensitive("@input@"), now = timestamp(), text = local.text }
  triggers_replace = [sensitive("@trigger@"), var.document]
}
locals {
  text = sensitive(<<-EOT
    @text first@
      @text second@
  EOT
  )
  derived = {
    encoded = base64encode(var.by_default)
    upper   = upper(var.by_default)
    hash    = sha256(var.by_default)
  }
}
resource "terraform_data" "derived" {
  input = local.derived
}
resource "terraform_data" "structured" {
  input = {
    list = [{ name = "a", value = sensitive("@in a list@") }, { name = "b", value = "b" }]
    set  = toset([{ name = "a", value = sensitive("@in a set@") }])
  }
}
resource "terraform_data" "told" {
  triggers_replace = uuid()
  provisioner "local-exec" {
    interpreter = ["/bin/sh", "-c"]
    command     = "/bin/cat told; echo said: $DATABASE_PASSWORD $AWS_SECRET_ACCESS_KEY $GITHUB_TOKEN $TF_TOKEN_example_com $TF_VAR_undeclared >&2; exit STATUS"
  }
}
output "sensitive" {
  value     = "@output@"
  sensitive = true
}
output "nested" {
  value     = { deep = ["@nested output@", ["@deeper output@"]], key = var.key, at = timestamp() }
  sensitive = true
}
"#;

/// What the provisioner prints, unseen by Terraform.
const TOLD: &str = "@by default@ and @file@\n@account password@ {\"json\": \"@json@\"}\n@object@\n\
                    40414243 @key second@\n@text second@ @in a list@ @map second@ @document list@\n";

/// The words that must not be seen.
#[derive(Default)]
struct Canaries {
    /// Each by what it stands for.
    words: BTreeMap<String, String>,
}

impl Canaries {
    /// Returns the canary that stands for something; letters keep their case.
    fn of(&mut self, what: &str) -> String {
        let number = self.words.len() + 10;
        let word = || format!("{}{number}Can4ry", what.replace(' ', "-"));
        self.words.entry(what.to_owned()).or_insert_with(word).clone()
    }

    /// Puts canaries in their places.
    fn plant(&mut self, text: &str) -> String {
        let place = Regex::new("@([A-Za-z ]+)@").unwrap();
        place.replace_all(text, |found: &Captures| self.of(&found[1])).into_owned()
    }

    /// Adds a word that is made of others.
    fn add(&mut self, what: &str, word: &str) {
        self.words.insert(what.to_owned(), word.to_owned());
    }

    /// Returns those that a text has, in whatever case.
    fn seen_in(&self, text: &str) -> Vec<&str> {
        let lower = text.to_lowercase();
        let seen = self.words.iter().filter(|(_, word)| lower.contains(&word.to_lowercase()));
        seen.map(|(what, _)| what.as_str()).collect()
    }
}

/// A stage with every secret, whose provisioner ends with a status.
fn stage(status: u8) -> Option<(Stage, Canaries)> {
    let mut canaries = Canaries::default();
    let resources = canaries.plant(RESOURCES).replace("STATUS", &status.to_string());
    let stage = Stage::set(&resources)?;
    stage.sandbox.write("variables.tf", canaries.plant(VARIABLES));
    stage.sandbox.write("prod.vars", canaries.plant(VALUES));
    stage.sandbox.write("terraform.tfvars", canaries.plant("automatic = \"@automatic@\"\n"));
    stage.sandbox.write("more.auto.tfvars.json", "{\"pin\": 40414243}");
    canaries.add("pin", "40414243");
    stage.sandbox.write("told", canaries.plant(TOLD));
    let default = canaries.of("by default");
    // Of base64 the letters' case is part of the word; looking for it in lower case only finds more.
    canaries.add("encoded default", &base64(&default));
    Some((stage, canaries))
}

/// Writes a text as base64.
fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let encode = |three: &[u8]| {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or_default());
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        let letter =
            |at: u32| char::from(LETTERS[usize::try_from(bits >> (18 - 6 * at)).unwrap() % 64]);
        (0..4)
            .map(|at| if at as usize > three.len() { '=' } else { letter(at) })
            .collect::<String>()
    };
    text.as_bytes().chunks(3).map(encode).collect()
}

/// Prepares a check of it with everything that it can write; secrets in arguments and in the environment.
fn prepare<'s>(
    stage: &'s Stage,
    canaries: &mut Canaries,
    json: bool,
    more: &[&str],
) -> Invocation<'s> {
    let flags = [
        "check",
        "--yes",
        "--write-accept",
        "--evidence=out/evidence",
        "--report=json=out/check.json",
        "--report=junit=out/check.xml",
        "--report=sarif=out/check.sarif",
        "--report=markdown=out/check.md",
        "--report=html=out/check.html",
        "--report=text=out/check.txt",
        "--report=gitlab-codequality=out/codequality.json",
        "--report=gitlab-terraform=out/terraform.json",
        "--report=github",
    ];
    let json = json.then_some("--json");
    let plan = canaries.plant(
        "--|-var-file=prod.vars|-var|flag=@flag@|-var=flag_in_one_word=@flag in One word@|-var|map={ a = \
         \"@map first@\", b = \"@map second@\" }|-var|passing=@passing@",
    );
    let args = flags.into_iter().chain(json).chain(more.iter().copied()).chain(plan.split('|'));
    let key = canaries
        .plant("-----BEGIN KEY-----\n@key first@\n@key second@\n  @key third@\n-----END-----\n");
    let (token, list) = (canaries.of("document token"), canaries.of("document list"));
    let document = format!("{{\"token\": \"{token}\", \"list\": [\"{list}\"]}}");
    let project = stage.sandbox.project();
    shim(&stage.sandbox, args.collect::<Vec<_>>())
        .env("TF_VAR_environment", canaries.of("environment"))
        .env("TF_VAR_key", key)
        .env("TF_VAR_document", document)
        .env("TF_VAR_passing_environment", canaries.of("passing environment"))
        .env("TF_CLI_ARGS_plan", format!("-var 'inserted={}'", canaries.of("inserted")))
        .env("TF_CLI_ARGS_destroy", format!("-var 'inserted={}'", canaries.of("inserted")))
        .env("AWS_SECRET_ACCESS_KEY", canaries.of("cloud key"))
        .env("DATABASE_PASSWORD", canaries.of("database password"))
        .env("GITHUB_TOKEN", canaries.of("token of the runner"))
        .env("TF_TOKEN_example_com", canaries.of("token of a registry"))
        .env("TF_VAR_undeclared", canaries.of("undeclared"))
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", project.join("out/summary.md"))
        .env("GITHUB_OUTPUT", project.join("out/outputs"))
}

/// Fails where a canary is in anything that a check has printed or written, the state excepted.
#[track_caller]
fn assert_kept(stage: &Stage, canaries: &Canaries, transcript: &Transcript, files: usize) {
    assert!(canaries.words.len() >= 50, "{}", canaries.words.len());
    let written = tree(&stage.sandbox.project().join("out"));
    let there = written.values().filter(|(.., bytes)| !bytes.is_empty()).count();
    assert!(there >= files, "{there}: {:?}", written.keys());
    let store = tree(&stage.sandbox.store()).into_iter().filter(|(path, _)| !is_snapshot(path));
    let texts = written.into_iter().chain(store).map(|(path, (.., bytes))| {
        let name = path.display().to_string();
        let text = [name.as_str(), &String::from_utf8_lossy(&bytes)].concat();
        (name, text)
    });
    let streams = [("stdout", transcript.stdout_text()), ("stderr", transcript.stderr_text())];
    let texts = texts.chain(streams.map(|(name, text)| (name.to_owned(), text)));
    let seen = texts.map(|(name, text)| {
        let words = canaries.seen_in(&text).join(", ");
        (name, words)
    });
    let seen: Vec<_> = seen.filter(|(_, words)| !words.is_empty()).collect();
    assert!(seen.is_empty(), "{seen:#?}\n{transcript}");
    assert!(stage.left_behind().is_empty());
}

/// Whether a file of the store holds a state.
fn is_snapshot(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "objects")
}

#[test]
fn none_is_seen_when_everything_goes_well() {
    for json in [true, false] {
        let Some((stage, mut canaries)) = stage(0) else { return };
        let line = prepare(&stage, &mut canaries, json, &["--twice", "--destroy-after"]);
        let transcript = line.run();
        transcript.assert_status(2);
        assert_kept(&stage, &canaries, &transcript, 18);
        let log = String::from_utf8(stage.sandbox.read("out/evidence/02-apply.log")).unwrap();
        assert!(log.contains("said: "), "the provisioner was heard: {log}");
        assert!(log.contains("(sensitive value)"), "{log}");
    }
}

#[test]
fn what_differs_is_found_although_nothing_of_it_is_told() {
    let Some((stage, mut canaries)) = stage(0) else { return };
    let transcript = prepare(&stage, &mut canaries, true, &[]).run();
    let checked = Checked { answer: shim_tests::shim::document(&transcript), transcript };
    let findings = checked.findings();
    let found: Vec<String> =
        findings.iter().map(|finding| finding.rsplit_once(' ').unwrap().0.to_owned()).collect();
    let expected = [
        "replace terraform_data.told triggers_replace function",
        "update fake_legacy.stored value white-space",
        "update terraform_data.changing input.now function",
        "normalised fake_normalised.json value json",
        "normalised fake_normalised.replaced force case",
        "normalised fake_normalised.rewritten items[0],items[1],rule[0].cidr,tags,value case",
        "normalised fake_secret.attribute password case",
        "output output.nested - function",
    ];
    assert_eq!(found, expected, "{}", checked.transcript);
}

#[test]
fn none_is_seen_when_a_provisioner_fails() {
    let Some((stage, mut canaries)) = stage(7) else { return };
    let transcript = prepare(&stage, &mut canaries, true, &[]).run();
    transcript.assert_status(4);
    assert!(transcript.stderr_text().contains("exit status 7"), "{transcript}");
    assert_kept(&stage, &canaries, &transcript, 12);
}

#[test]
fn none_is_seen_when_a_provider_names_it_in_an_error() {
    let Some((stage, mut canaries)) = stage(0) else { return };
    let more = r#"
resource "terraform_data" "strict" {
  depends_on = [terraform_data.told]
  lifecycle {
    postcondition {
      condition     = self.id == ""
      error_message = "refused: ${nonsensitive(var.file)}, ${nonsensitive(var.flag)}, ${nonsensitive(var.key)}"
    }
  }
}
"#;
    stage.sandbox.write("strict.tf", more);
    let transcript = prepare(&stage, &mut canaries, true, &[]).run();
    transcript.assert_status(4);
    assert!(transcript.stderr_text().contains("refused: "), "{transcript}");
    assert_kept(&stage, &canaries, &transcript, 12);
}

/// There is no plan then that says what is sensitive.
#[test]
fn none_is_seen_when_already_the_first_plan_fails() {
    let Some((stage, mut canaries)) = stage(0) else { return };
    let more = r#"
resource "terraform_data" "strict" {
  lifecycle {
    precondition {
      condition     = var.flag == ""
      error_message = <<-EOT
        refused: ${nonsensitive(var.flag)}, ${nonsensitive(var.flag_in_one_word)}
        ${nonsensitive(var.environment)} ${nonsensitive(var.inserted)}
        ${nonsensitive(var.key)} ${nonsensitive(var.map.a)} ${nonsensitive(jsondecode(var.document).token)}
      EOT
    }
  }
}
"#;
    stage.sandbox.write("strict.tf", more);
    let transcript = prepare(&stage, &mut canaries, true, &[]).run();
    transcript.assert_status(4);
    assert!(transcript.stderr_text().contains("refused: "), "{transcript}");
    assert_kept(&stage, &canaries, &transcript, 12);
}

/// As above, for what only files say.
#[test]
fn none_of_a_file_is_seen_when_already_the_first_plan_fails() {
    let Some((stage, mut canaries)) = stage(0) else { return };
    let more = r#"
resource "terraform_data" "strict" {
  lifecycle {
    precondition {
      condition     = var.flag == ""
      error_message = "refused: ${nonsensitive(var.file)} ${nonsensitive(var.automatic)} ${nonsensitive(var.by_default)} ${nonsensitive(var.account.password)}"
    }
  }
}
"#;
    stage.sandbox.write("strict.tf", more);
    let transcript = prepare(&stage, &mut canaries, true, &[]).run();
    transcript.assert_status(4);
    assert!(transcript.stderr_text().contains("refused: "), "{transcript}");
    assert_kept(&stage, &canaries, &transcript, 12);
}

#[test]
fn none_is_seen_when_a_plan_is_all_there_is() {
    let Some((stage, mut canaries)) = stage(0) else { return };
    let transcript = prepare(&stage, &mut canaries, true, &["--plan-only"]).run();
    transcript.assert_status(2);
    assert_kept(&stage, &canaries, &transcript, 12);
}

#[test]
fn none_is_seen_when_an_apply_is_interrupted() {
    let Some((stage, mut canaries)) = stage(0) else { return };
    stage.cloud().hold(Step::Create);
    let running = prepare(&stage, &mut canaries, true, &[]).start();
    stage.wait_for(Step::Create, "fake_thing", 1);
    running.signal(Signal::SIGINT);
    wait_until("the interruption", || stage.cloud().count(Step::Stop, "") > 0);
    stage.cloud().release(Step::Create);
    let transcript = running.finish();
    assert_eq!(transcript.end, shim_tests::End::by(Signal::SIGINT), "{transcript}");
    assert_kept(&stage, &canaries, &transcript, 12);
}
