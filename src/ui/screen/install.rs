//! `tf shim install` and `tf shim uninstall`.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::json::install as json;
use super::super::style::{Line, Role, Screen};
use super::super::{Answer, words};
use super::{Facts, Frame, MARGIN};
use crate::model::shell::path_word;
use crate::ops::install::uninstall::UninstallPlan;
use crate::ops::install::{Edit, EditAction, InstallPlan, LinkAction, LinkPlan, OnPath};

impl Answer for InstallPlan {
    fn screen(&self, frame: &Frame) -> Screen {
        let mut screen = Screen::new();
        let head = match (self.is_nothing(), self.is_done) {
            (true, _) => "nothing to do: the links are in ",
            (false, true) => "installed in ",
            (false, false) => "would install in ",
        };
        let directory = self.directory.display().to_string();
        let head = Line::new().plain(head).with(Role::Title, &directory);
        screen.fold_line(Line::new(), head, frame.width);
        screen.gap();
        let mut facts = Facts::new();
        for link in &self.links {
            facts.add(link.name, Some(shown_link(link)));
        }
        facts.add("leads to", Some(Line::new().plain(&self.program.path.display().to_string())));
        facts.add("on PATH", Some(standing(&self.on_path)));
        facts.add_all("start file", self.edits.iter().map(shown_edit).collect());
        screen.append(facts.lay_out(frame));
        if !self.is_done {
            for edit in &self.edits {
                screen.append(shown_lines(edit, frame));
            }
        }
        if self.edits.is_empty() && self.on_path != OnPath::First {
            screen.append(self.advice(frame));
        }
        if !self.edits.is_empty() && self.is_done && !self.is_nothing() {
            screen.gap();
            let then = "Open a new shell to use it. To take it away again: ";
            let then = Line::new().plain(then).with(Role::Hint, &self.way_back());
            screen.fold_line(Line::new(), then, frame.width);
        }
        screen
    }

    fn document(&self) -> Value {
        json::installed(self)
    }

    fn warnings(&self) -> Vec<&str> {
        self.warnings.iter().map(String::as_str).collect()
    }
}

impl InstallPlan {
    /// The command that takes all of it away again.
    fn way_back(&self) -> String {
        let directory = (!self.is_usual).then(|| format!(" {}", word(&self.directory)));
        format!("tf shim uninstall{}", directory.unwrap_or_default())
    }

    /// What a person has to do so that the links are found.
    fn advice(&self, frame: &Frame) -> Screen {
        let mut screen = Screen::new();
        screen.gap();
        let (file, lines) = &self.by_hand;
        let file = file.as_deref().map_or_else(|| "the start file of your shell".to_owned(), shown);
        let head = Line::new()
            .plain(&format!("Put this at the end of {file}, or run "))
            .with(Role::Hint, "tf shim install --edit")
            .plain(":");
        screen.line(Line::new());
        screen.fold_line(Line::new(), head, frame.width);
        screen.gap();
        for line in lines {
            // To be copied, so it is neither folded nor cut.
            screen.line(Line::new().padded(MARGIN + MARGIN).with(Role::Hint, line));
        }
        screen.gap();
        let then = "Then open a new shell. To take the links away again: ";
        let then = Line::new().plain(then).with(Role::Hint, &self.way_back());
        screen.fold_line(Line::new(), then, frame.width);
        screen
    }
}

fn shown(path: &Path) -> String {
    format!("`{}`", path.display())
}

fn shown_link(link: &LinkPlan) -> Line {
    let word = match link.action {
        LinkAction::Make => Line::of(Role::Added, "new link"),
        LinkAction::Replace => Line::of(Role::Changed, "new link for an old one"),
        LinkAction::Keep => Line::new().plain("linked"),
        LinkAction::Skip => {
            return Line::of(Role::Dim, "not linked: there is none on PATH; to link it now: ")
                .with(Role::Hint, "--both");
        }
    };
    match &link.real {
        Some(real) => word.with(Role::Dim, &format!(" · stands for {}", real.display())),
        None => word.with(Role::Warning, " · there is none on PATH to stand for"),
    }
}

fn standing(on_path: &OnPath) -> Line {
    match on_path {
        OnPath::First => Line::new().plain("yes, and before the real ones"),
        OnPath::Absent => Line::of(Role::Warning, "not in this shell"),
        OnPath::After(real) => {
            let text = format!("after {}, which therefore runs", real.display());
            Line::of(Role::Warning, &text)
        }
    }
}

/// What an edit will write.
fn shown_lines(edit: &Edit, frame: &Frame) -> Screen {
    let mut screen = Screen::new();
    let lines = edit.lines();
    if matches!(edit.action, EditAction::Create | EditAction::Put) && !lines.is_empty() {
        screen.line(Line::new());
        let head = format!("This goes into {}:", shown(&edit.path));
        screen.fold_line(Line::new(), Line::new().plain(&head), frame.width);
        screen.line(Line::new());
        for line in lines {
            // As it will stand there, so it is neither folded nor cut.
            screen.line(Line::new().padded(MARGIN + MARGIN).with(Role::Hint, &line));
        }
    }
    screen
}

fn shown_edit(edit: &Edit) -> Line {
    let what = match edit.action {
        EditAction::Create => Line::of(Role::Added, "new"),
        EditAction::Put => Line::of(Role::Changed, "a block is put in"),
        EditAction::Keep => Line::of(Role::Dim, "the block is there"),
        EditAction::TakeOut => Line::of(Role::Changed, "the block is taken out"),
        EditAction::Remove => Line::of(Role::Removed, "removed: install had made it"),
    };
    Line::new().plain(&edit.path.display().to_string()).with(Role::Dim, " · ").join(what)
}

impl Answer for UninstallPlan {
    fn screen(&self, frame: &Frame) -> Screen {
        let mut screen = Screen::new();
        let head = match (self.is_nothing(), self.is_done) {
            (true, _) => "nothing to do: no link leads to this tf",
            (false, true) => "uninstalled",
            (false, false) => "would uninstall",
        };
        screen.line(Line::of(Role::Title, head));
        screen.gap();
        let path = |path: &PathBuf| Line::new().plain(&path.display().to_string());
        let mut facts = Facts::new();
        facts.add_all("links", self.links.iter().map(path).collect());
        facts.add_all("start file", self.edits.iter().map(shown_edit).collect());
        facts.add_all("directories", self.directories.iter().map(path).collect());
        let passed = self.passed.iter().map(|passed| {
            path(&passed.path).with(Role::Warning, &format!(" · passed over: {}", passed.why))
        });
        facts.add_all("not done", passed.collect());
        let by_hand = self.by_hand.iter().map(|(file, line)| {
            let place = format!("{}:{line}", file.display());
            Line::new().plain(&place).with(Role::Warning, " · take this line out yourself")
        });
        facts.add_all("by hand", by_hand.collect());
        facts.add_all("stays", self.stays());
        screen.append(facts.lay_out(frame));
        if self.is_hashed && self.is_done {
            screen.gap();
            let line = Line::new()
                .plain("A shell that is open may still look for the links: run ")
                .with(Role::Hint, "hash -r")
                .plain(" there, or open a new one.");
            screen.fold_line(Line::new(), line, frame.width);
        }
        screen.append(self.last_step());
        screen
    }

    fn document(&self) -> Value {
        json::uninstalled(self)
    }
}

impl UninstallPlan {
    /// What is left.
    fn stays(&self) -> Vec<Line> {
        let line = |path: &Path, what: &str| {
            let path = path.display().to_string();
            Line::new().plain(&path).with(Role::Dim, &format!(" · {what}"))
        };
        let store = self.store.as_ref().and_then(|store| {
            Some(line(&store.path, &format!("the store, {}", words::size(store.bytes?))))
        });
        std::iter::once(line(&self.program.path, "tf itself")).chain(store).collect()
    }

    /// How to be rid of the store, too.
    fn last_step(&self) -> Screen {
        let mut screen = Screen::new();
        let store = self.store.as_ref().filter(|store| store.bytes.is_some());
        if let Some(store) = store {
            screen.line(Line::new());
            screen.line(Line::new().plain("The store holds your states. To remove it, too:"));
            screen.line(Line::new());
            // To be copied, so it is neither folded nor cut.
            let command = format!("rm -r {}", word(&store.path));
            screen.line(Line::new().padded(MARGIN + MARGIN).with(Role::Hint, &command));
        }
        screen
    }
}

/// A path as it is typed.
fn word(path: &Path) -> String {
    let word = path_word(path.as_os_str().as_bytes(), None, None);
    String::from_utf8_lossy(&word).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::shell::Shell;
    use crate::ops::install::Program;
    use crate::ops::install::uninstall::{Passed, Stays};
    use crate::sys::file::FileId;
    use crate::ui::samples::{coloured, fitted};

    fn program() -> Program {
        let id = FileId { device: 1, inode: 2 };
        Program { path: "/home/ana/.local/bin/tf".into(), id, fleeting: None }
    }

    fn link(name: &'static str, action: LinkAction, real: Option<&str>) -> LinkPlan {
        let path = PathBuf::from("/home/ana/.local/share/tf-shim/bin").join(name);
        LinkPlan { name, path, action, real: real.map(PathBuf::from) }
    }

    fn plan() -> InstallPlan {
        InstallPlan {
            program: program(),
            directory: "/home/ana/.local/share/tf-shim/bin".into(),
            links: vec![
                link("terraform", LinkAction::Make, Some("/usr/local/bin/terraform")),
                link("tofu", LinkAction::Make, None),
            ],
            is_usual: true,
            on_path: OnPath::After("/usr/local/bin/terraform".into()),
            shell: Some(Shell::Bash),
            edits: Vec::new(),
            by_hand: (Some("/home/ana/.bashrc".into()), vec!["export PATH=x".to_owned()]),
            makes: Vec::new(),
            warnings: Vec::new(),
            is_done: true,
        }
    }

    #[test]
    fn what_was_linked_comes_with_what_is_left_to_do() {
        insta::assert_snapshot!(fitted(&plan()), @r#"
        installed in /home/ana/.local/share/tf-shim/bin

          terraform  new link · stands for /usr/local/bin/terraform
          tofu       new link · there is none on PATH to stand for
          leads to   /home/ana/.local/bin/tf
          on PATH    after /usr/local/bin/terraform, which therefore runs

        Put this at the end of `/home/ana/.bashrc`, or run tf shim install --edit:

            export PATH=x

        Then open a new shell. To take the links away again: tf shim uninstall
        "#);
        let edits = vec![
            Edit::sample("/home/ana/.bashrc", EditAction::Put),
            Edit::sample("/home/ana/.profile", EditAction::Keep),
        ];
        insta::assert_snapshot!(coloured(&InstallPlan { edits, is_done: false, ..plan() }), @r#"
        would install in ^[1m/home/ana/.local/share/tf-shim/bin^[0m

          ^[2mterraform^[0m   ^[32mnew link^[0m^[2m · stands for /usr/local/bin/terraform^[0m
          ^[2mtofu^[0m        ^[32mnew link^[0m^[33m · there is none on PATH to stand for^[0m
          ^[2mleads to^[0m    /home/ana/.local/bin/tf
          ^[2mon PATH^[0m     ^[33mafter /usr/local/bin/terraform, which therefore runs^[0m
          ^[2mstart file^[0m  /home/ana/.bashrc^[2m · ^[0m^[33ma block is put in^[0m
                      /home/ana/.profile^[2m · ^[0m^[2mthe block is there^[0m
        "#);
    }

    #[test]
    fn what_stays_is_told_with_how_to_be_rid_of_it() {
        let plan = UninstallPlan {
            program: program(),
            links: vec!["/home/ana/.local/share/tf-shim/bin/terraform".into()],
            edits: vec![Edit::sample("/home/ana/.bashrc", EditAction::TakeOut)],
            directories: vec!["/home/ana/.local/share/tf-shim/bin".into()],
            records: Vec::new(),
            is_hashed: true,
            passed: vec![Passed { path: "/home/ana/.zshrc".into(), why: "not a file".to_owned() }],
            by_hand: vec![("/home/ana/.profile".into(), 12)],
            store: Some(Stays {
                path: "/home/ana/.local/state/my store".into(),
                bytes: Some(43_008),
            }),
            is_done: true,
        };
        insta::assert_snapshot!(fitted(&plan), @r#"
        uninstalled

          links        /home/ana/.local/share/tf-shim/bin/terraform
          start file   /home/ana/.bashrc · the block is taken out
          directories  /home/ana/.local/share/tf-shim/bin
          not done     /home/ana/.zshrc · passed over: not a file
          by hand      /home/ana/.profile:12 · take this line out yourself
          stays        /home/ana/.local/bin/tf · tf itself
                       /home/ana/.local/state/my store · the store, 42.0 KiB

        A shell that is open may still look for the links: run hash -r there, or open a
        new one.

        The store holds your states. To remove it, too:

            rm -r '/home/ana/.local/state/my store'
        "#);
        let nothing = UninstallPlan {
            links: Vec::new(),
            edits: Vec::new(),
            directories: Vec::new(),
            store: None,
            is_hashed: false,
            passed: Vec::new(),
            by_hand: Vec::new(),
            ..plan
        };
        insta::assert_snapshot!(fitted(&nothing), @r#"
        nothing to do: no link leads to this tf

          stays  /home/ana/.local/bin/tf · tf itself
        "#);
    }
}
