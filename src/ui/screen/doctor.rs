//! `tf shim doctor`.
//!
//! What is wrong comes last, where a person looks first when the screen has scrolled. A fix is never
//! folded: a line break of ours would be copied with it, one of the terminal's is not.

use serde_json::Value;

use super::super::style::{Line, Role, Screen};
use super::super::table::{Column, Table};
use super::super::{Answer, json, words};
use super::{Facts, Frame, status};
use crate::ops::doctor::{Cure, DoctorReport, Finding, Kind, OnPath, StoreFacts, Weight};

/// How a person finds out what a shell makes of the names: its children cannot see its aliases.
const ASK_THE_SHELL: &str = "type -a tf terraform tofu";
/// Columns of the labels before the facts, with the blanks around them.
const LABELS: usize = 13;
/// Columns of the names on `PATH`, with the blanks behind them.
const NAMES: usize = 11;

impl Answer for DoctorReport {
    fn screen(&self, frame: &Frame) -> Screen {
        let mut screen = status::heading(self.state.as_ref(), frame);
        screen.gap();
        screen.append(facts(self, frame).lay_out(frame));
        for finding in &self.findings {
            screen.gap();
            screen.append(shown(finding, frame));
        }
        screen.gap();
        screen.line(summary(self));
        screen
    }

    fn document(&self) -> Value {
        json::doctor::document(self)
    }
}

fn facts(report: &DoctorReport, frame: &Frame) -> Facts {
    let mut facts = Facts::new();
    facts.add("terraform", Some(status::real(&report.real)));
    let version = report.version.as_ref();
    let version = version.map(|v| format!(" · {} {}", v.product, v.number)).unwrap_or_default();
    let versions = Line::new().plain(&format!("tf {}{version}", env!("CARGO_PKG_VERSION")));
    facts.add("versions", Some(versions));
    let mut on_path = on_path(&report.path, frame);
    on_path.push(
        Line::of(Role::Dim, "aliases are seen by the shell alone: ")
            .with(Role::Hint, ASK_THE_SHELL),
    );
    facts.add_all("PATH", on_path);
    let now = report.now.as_ref().map(|now| Line::new().plain(&words::image(now)));
    let locked =
        report.locked_by.as_ref().map(|by| Line::of(Role::Dim, &format!("locked by {by}")));
    facts.add_all("now", now.into_iter().chain(locked).collect());
    facts.add_all("backend", backend(report));
    facts.add(
        "git",
        report.git.as_ref().map(|git| Line::new().plain(&git.top.display().to_string())),
    );
    facts.add_all("store", report.store.as_ref().map(store).unwrap_or_default());
    let verified = Line::of(Role::Dim, "never");
    facts.add("verified", report.store.as_ref().filter(|store| store.exists).map(|_| verified));
    let skipped = report.not_looked_at.iter();
    let skipped =
        skipped.map(|(what, why)| Line::new().plain(what).with(Role::Dim, &format!(": {why}")));
    facts.add_all("not seen", skipped.collect());
    facts
}

/// What is on `PATH`, in columns. Where they are too wide, what a program is stands below it, further in, so
/// that it cannot be taken for another entry.
fn on_path(entries: &[OnPath], frame: &Frame) -> Vec<Line> {
    let column = || Column { title: "", pleasant: 0, least: 9, gives: 0 };
    let rows = entries.iter().map(|entry| {
        let role = if entry.wins { Role::Plain } else { Role::Dim };
        let path = entry.path.display().to_string();
        (role, entry.name, path, kind(&entry.kind))
    });
    let rows: Vec<(Role, &str, String, String)> = rows.collect();
    let mut table = Table::new(vec![column(), column(), column()]);
    for (role, name, path, kind) in &rows {
        let cells = [*name, path, kind].map(|cell| Line::of(*role, cell)).to_vec();
        table.row(Line::new(), cells);
    }
    if frame.width.is_none_or(|width| table.columns() + LABELS <= width) {
        return table.lay_out(0, None).into_lines();
    }
    let lines = rows.iter().flat_map(|(role, name, path, kind)| {
        let entry = Line::of(*role, name).padded(NAMES).with(*role, path);
        [entry, Line::new().padded(NAMES + 2).with(*role, kind)]
    });
    lines.collect()
}

fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Ourselves => "this tf".to_owned(),
        Kind::Another(version) => format!("another tf, {version}"),
        Kind::Dangling => "leads nowhere".to_owned(),
        Kind::Manager(name) => format!("{name}, not through tf"),
        Kind::Other => "not through tf".to_owned(),
    }
}

fn backend(report: &DoctorReport) -> Vec<Line> {
    let Some(backend) = &report.backend else { return Vec::new() };
    let mut line = Line::new().plain(&backend.kind);
    if backend.may_need_init {
        line.push(Role::Dim, " · the configuration names another, which is not initialised");
    }
    let Some(question) = &backend.versioning else { return vec![line] };
    line.push(Role::Dim, " · whether it keeps older versions, its own tool tells:");
    vec![line, Line::of(Role::Hint, question)]
}

fn store(store: &StoreFacts) -> Vec<Line> {
    let path = Line::new().plain(&store.path.display().to_string());
    if !store.exists {
        return vec![path.with(Role::Dim, " · made when something is saved")];
    }
    let counted =
        |count: usize, noun| words::counted(u64::try_from(count).unwrap_or(u64::MAX), noun);
    let mut parts = vec![
        counted(store.states, "state"),
        words::operations(store.operations),
        words::size(store.bytes),
    ];
    parts.extend(store.free.map(|free| format!("{} free", words::size(free))));
    parts.extend(store.file_system.clone());
    if store.torn_lines > 0 {
        parts.push(format!("{} cut off, nothing lost", counted(store.torn_lines, "line")));
    }
    vec![path, Line::of(Role::Dim, &parts.join(" · "))]
}

fn shown(finding: &Finding, frame: &Frame) -> Screen {
    let mut screen = Screen::new();
    let role = match finding.ailment.weight() {
        Weight::Problem => Role::Error,
        Weight::Note => Role::Warning,
    };
    let head = Line::of(role, finding.ailment.weight().word()).with(Role::Dim, " · ");
    let head = head.with(role, finding.ailment.word()).plain(": ").plain(&finding.what);
    screen.fold_line(Line::new().plain("  "), head, frame.width);
    let lead = |label| Line::new().plain("    ").with(Role::Dim, label);
    screen.fold(lead("why: "), Role::Dim, finding.ailment.why(), frame.width);
    match &finding.cure {
        Cure::Command(command) => screen.line(lead("fix: ").with(Role::Hint, command)),
        Cure::Advice(advice) => screen.fold(lead("do:  "), Role::Hint, advice, frame.width),
    }
    screen
}

fn summary(report: &DoctorReport) -> Line {
    let count = |count: usize, noun| words::counted(u64::try_from(count).unwrap_or(u64::MAX), noun);
    let problems = report.problems();
    let notes = report.findings.len().saturating_sub(problems);
    let line = Line::new().plain("  ");
    if report.findings.is_empty() {
        return line.with(Role::Added, "nothing to mend");
    }
    let parts = [(problems, "problem", Role::Error), (notes, "note", Role::Warning)];
    let parts = parts.into_iter().filter(|(number, ..)| *number > 0);
    parts.enumerate().fold(line, |line, (at, (number, noun, role))| {
        let line = if at > 0 { line.plain(", ") } else { line };
        line.with(role, &count(number, noun))
    })
}

#[cfg(test)]
mod tests {
    use super::LABELS;
    use crate::ops::doctor::{
        Ailment, BackendFacts, Cure, DoctorReport, Finding, GitFacts, Kind, OnPath, StoreFacts,
    };
    use crate::ops::report::RealReport;
    use crate::terraform::version::Version;
    use crate::ui::samples::{at_80, coloured, image, state};

    fn on_path(name: &'static str, path: &str, kind: Kind, wins: bool) -> OnPath {
        OnPath { name, path: path.into(), kind, wins }
    }

    fn healthy() -> DoctorReport {
        DoctorReport {
            state: Some(state("/srv/net/terraform.tfstate")),
            findings: Vec::new(),
            not_looked_at: Vec::new(),
            real: Ok(RealReport {
                path: "/usr/bin/terraform".into(),
                found_by: "first `terraform` on PATH".to_owned(),
            }),
            version: Some(Version { product: "Terraform".to_owned(), number: "1.11.4".to_owned() }),
            path: vec![
                on_path("tf", "/home/ana/bin/tf", Kind::Ourselves, true),
                on_path("tf", "/opt/tenv/bin/tf", Kind::Manager("tenv"), false),
                on_path("terraform", "/usr/bin/terraform", Kind::Other, true),
            ],
            now: Some(image(42, 128)),
            locked_by: None,
            backend: Some(BackendFacts {
                kind: "local".to_owned(),
                may_need_init: false,
                locks: true,
                versioning: None,
            }),
            git: Some(GitFacts { top: "/srv/net".into() }),
            store: Some(StoreFacts {
                path: "/home/ana/.local/state/tf-shim".into(),
                exists: true,
                states: 3,
                operations: 217,
                bytes: 4_404_019,
                free: Some(33_285_996_544),
                file_system: Some("ext4".to_owned()),
                torn_lines: 0,
            }),
        }
    }

    fn ill() -> DoctorReport {
        let finding = |ailment, what: &str, cure| Finding { ailment, what: what.to_owned(), cure };
        let findings = vec![
            finding(
                Ailment::ReadableByOthers,
                "`terraform.tfstate`, `terraform.tfstate.backup` can be read by every user of this machine",
                Cure::Command(
                    "chmod go-rwx /srv/net/terraform.tfstate /srv/net/terraform.tfstate.backup"
                        .to_owned(),
                ),
            ),
            finding(
                Ailment::NewerState,
                "the state was written by Terraform 1.12.0, and this is 1.11.4",
                Cure::Advice("use Terraform 1.12.0 or newer here".to_owned()),
            ),
            finding(
                Ailment::RelativePath,
                "PATH has entries that are not absolute: ``",
                Cure::Command("export PATH=/usr/bin:/bin".to_owned()),
            ),
        ];
        let versioning = "aws s3api get-bucket-versioning --bucket acme".to_owned();
        let backend = BackendFacts {
            kind: "s3".to_owned(),
            may_need_init: false,
            locks: true,
            versioning: Some(versioning),
        };
        DoctorReport {
            findings,
            not_looked_at: vec![("git", "there is no git on PATH".to_owned())],
            real: Err("no real terraform or tofu found on PATH".to_owned()),
            version: None,
            now: None,
            locked_by: Some("ana@mbp, running OperationTypeApply, process 4711".to_owned()),
            backend: Some(backend),
            store: None,
            ..healthy()
        }
    }

    #[test]
    fn where_all_is_well_the_facts_stand_alone() {
        insta::assert_snapshot!(at_80(&healthy()), @r#"
        /srv/net · default · local terraform.tfstate · lineage ec80aa96

          terraform  /usr/bin/terraform · first `terraform` on PATH
          versions   tf 0.1.0 · Terraform 1.11.4
          PATH       tf         /home/ana/bin/tf    this tf
                     tf         /opt/tenv/bin/tf    tenv, not through tf
                     terraform  /usr/bin/terraform  not through tf
                     aliases are seen by the shell alone: type -a tf terraform tofu
          now        serial 42 · 128 resources
          backend    local
          git        /srv/net
          store      /home/ana/.local/state/tf-shim
                     3 states · 217 operations · 4.1 MiB · 31.0 GiB free · ext4
          verified   never

          nothing to mend
        "#);
        insta::assert_snapshot!(coloured(&healthy()), @r#"
        ^[1m/srv/net^[0m^[2m · ^[0mdefault^[2m · ^[0mlocal terraform.tfstate^[2m · lineage ec80aa96^[0m

          ^[2mterraform^[0m  /usr/bin/terraform^[2m · first `terraform` on PATH^[0m
          ^[2mversions^[0m   tf 0.1.0 · Terraform 1.11.4
          ^[2mPATH^[0m       tf         /home/ana/bin/tf    this tf
                     ^[2mtf^[0m         ^[2m/opt/tenv/bin/tf^[0m    ^[2mtenv, not through tf^[0m
                     terraform  /usr/bin/terraform  not through tf
                     ^[2maliases are seen by the shell alone: ^[0m^[36mtype -a tf terraform tofu^[0m
          ^[2mnow^[0m        serial 42 · 128 resources
          ^[2mbackend^[0m    local
          ^[2mgit^[0m        /srv/net
          ^[2mstore^[0m      /home/ana/.local/state/tf-shim
                     ^[2m3 states · 217 operations · 4.1 MiB · 31.0 GiB free · ext4^[0m
          ^[2mverified^[0m   ^[2mnever^[0m

          ^[32mnothing to mend^[0m
        "#);
    }

    #[test]
    fn what_a_program_is_stands_below_it_where_the_path_is_long() {
        let long = "/home/ana/.local/share/a-manager/1.11.4/bin";
        let path = vec![
            on_path("tf", &format!("{long}/tf"), Kind::Another("0.0.9".to_owned()), true),
            on_path("terraform", &format!("{long}/terraform"), Kind::Dangling, false),
        ];
        let text = at_80(&DoctorReport { path, ..healthy() });
        let lines: Vec<&str> =
            text.lines().skip_while(|line| !line.starts_with("  PATH")).collect();
        let blank = " ".repeat(LABELS);
        assert_eq!(lines[0], format!("  PATH       tf         {long}/tf"));
        assert_eq!(lines[1], format!("{blank}             another tf, 0.0.9"));
        assert_eq!(lines[2], format!("{blank}terraform  {long}/terraform"));
        assert_eq!(lines[3], format!("{blank}             leads nowhere"));
    }

    #[test]
    fn findings_come_last_and_a_fix_is_never_folded() {
        use crate::ui::samples::frame;
        use crate::ui::{Answer as _, Paint};
        insta::assert_snapshot!(ill().screen(&frame(Some(80))).render(Paint::Plain), @r#"
        /srv/net · default · local terraform.tfstate · lineage ec80aa96

          terraform  no real terraform or tofu found on PATH
          versions   tf 0.1.0
          PATH       tf         /home/ana/bin/tf    this tf
                     tf         /opt/tenv/bin/tf    tenv, not through tf
                     terraform  /usr/bin/terraform  not through tf
                     aliases are seen by the shell alone: type -a tf terraform tofu
          now        locked by ana@mbp, running OperationTypeApply, process 4711
          backend    s3 · whether it keeps older versions, its own tool tells:
                     aws s3api get-bucket-versioning --bucket acme
          git        /srv/net
          not seen   git: there is no git on PATH

          problem · readable-by-others: `terraform.tfstate`, `terraform.tfstate.backup`
          can be read by every user of this machine
            why: states and plans hold secrets in clear text, and every user of this
                 machine can read these
            fix: chmod go-rwx /srv/net/terraform.tfstate /srv/net/terraform.tfstate.backup

          problem · newer-state: the state was written by Terraform 1.12.0, and this is
          1.11.4
            why: Terraform does not refuse it, and writes it back as the older version
                 understands it
            do:  use Terraform 1.12.0 or newer here

          note · relative-path: PATH has entries that are not absolute: ``
            why: a shell runs whatever has that name in the directory it is in; tf
                 passes these entries over
            fix: export PATH=/usr/bin:/bin

          2 problems, 1 note
        "#);
        insta::assert_snapshot!(coloured(&ill()), @r#"
        ^[1m/srv/net^[0m^[2m · ^[0mdefault^[2m · ^[0mlocal terraform.tfstate^[2m · lineage ec80aa96^[0m

          ^[2mterraform^[0m  ^[1m^[31mno real terraform or tofu found on PATH^[0m
          ^[2mversions^[0m   tf 0.1.0
          ^[2mPATH^[0m       tf         /home/ana/bin/tf    this tf
                     ^[2mtf^[0m         ^[2m/opt/tenv/bin/tf^[0m    ^[2mtenv, not through tf^[0m
                     terraform  /usr/bin/terraform  not through tf
                     ^[2maliases are seen by the shell alone: ^[0m^[36mtype -a tf terraform tofu^[0m
          ^[2mnow^[0m        ^[2mlocked by ana@mbp, running OperationTypeApply, process 4711^[0m
          ^[2mbackend^[0m    s3^[2m · whether it keeps older versions, its own tool tells:^[0m
                     ^[36maws s3api get-bucket-versioning --bucket acme^[0m
          ^[2mgit^[0m        /srv/net
          ^[2mnot seen^[0m   git^[2m: there is no git on PATH^[0m

          ^[1m^[31mproblem^[0m^[2m · ^[0m^[1m^[31mreadable-by-others^[0m: `terraform.tfstate`, `terraform.tfstate.backup`
          can be read by every user of this machine
            ^[2mwhy: ^[0m^[2mstates and plans hold secrets in clear text, and every user of this^[0m
                 ^[2mmachine can read these^[0m
            ^[2mfix: ^[0m^[36mchmod go-rwx /srv/net/terraform.tfstate /srv/net/terraform.tfstate.backup^[0m

          ^[1m^[31mproblem^[0m^[2m · ^[0m^[1m^[31mnewer-state^[0m: the state was written by Terraform 1.12.0, and this is
          1.11.4
            ^[2mwhy: ^[0m^[2mTerraform does not refuse it, and writes it back as the older version^[0m
                 ^[2munderstands it^[0m
            ^[2mdo:  ^[0m^[36muse Terraform 1.12.0 or newer here^[0m

          ^[33mnote^[0m^[2m · ^[0m^[33mrelative-path^[0m: PATH has entries that are not absolute: ``
            ^[2mwhy: ^[0m^[2ma shell runs whatever has that name in the directory it is in; tf^[0m
                 ^[2mpasses these entries over^[0m
            ^[2mfix: ^[0m^[36mexport PATH=/usr/bin:/bin^[0m

          ^[1m^[31m2 problems^[0m, ^[33m1 note^[0m
        "#);
    }
}
