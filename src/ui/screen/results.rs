//! Commands whose answer is one line: `tf shim: saved 7c1e9a04`.

use serde_json::Value;

use super::super::failure::OURS;
use super::super::style::{Line, Role, Screen};
use super::super::{Answer, json, words};
use super::Frame;
use crate::model::passport::Claim;
use crate::ops::report::{
    AcceptReport, Entered, NoteReport, PassportReport, RestoreReport, ScriptReport, VersionReport,
};

impl Answer for NoteReport {
    fn screen(&self, _: &Frame) -> Screen {
        let id = self.operation.id.short();
        one(Line::new().plain(self.done).plain(" ").with(Role::Id, id))
    }

    fn document(&self) -> Value {
        json::note(self)
    }
}

impl Answer for AcceptReport {
    fn screen(&self, _: &Frame) -> Screen {
        let Some(operation) = &self.operation else {
            return one(Line::new().plain("no guard objects; there is nothing to accept"));
        };
        let is = operation.after.as_ref().map(words::image).unwrap_or_default();
        let id = operation.id.short();
        one(Line::new().plain("accepted: ").plain(&is).plain(" · ").with(Role::Id, id))
    }

    fn document(&self) -> Value {
        json::accepted(self)
    }
}

impl Answer for PassportReport {
    fn screen(&self, _: &Frame) -> Screen {
        let is = claimed(&self.is);
        let path = self.path.display().to_string();
        let line = match self.entered {
            Entered::Nothing => Line::new().plain("the passport is right: ").plain(&is),
            Entered::Written => {
                Line::new().plain(&is).plain(", written to ").with(Role::Hint, &path)
            }
            Entered::Differs => {
                let said = self.said.as_ref().map_or_else(|| "nothing".to_owned(), claimed);
                let what = format!("the passport says {said}; what is there: {is}");
                Line::of(Role::Warning, &what)
            }
        };
        one(line)
    }

    fn document(&self) -> Value {
        json::passport(self)
    }
}

/// `lineage ec80aa96 with resources`.
fn claimed(claim: &Claim) -> String {
    let lineage = claim.lineage.as_ref().map(|lineage| format!("lineage {}", lineage.short()));
    let has = if claim.has_resources { "with resources" } else { "without resources" };
    format!("{} {has}", lineage.as_deref().unwrap_or("a state"))
}

impl Answer for RestoreReport {
    fn screen(&self, _: &Frame) -> Screen {
        let done = if self.is_undo { "undone" } else { "restored" };
        let again = if self.is_undo { " · redo with: " } else { " · undo with: " };
        let line = Line::new()
            .plain(done)
            .plain(": serial ")
            .plain(&words::serials(Some(&self.before), Some(&self.after)));
        let line = match self.operation.changes {
            Some(changes) => line.plain(", ").join(words::counts(changes)),
            None => line,
        };
        one(line.with(Role::Dim, again).with(Role::Hint, "tf shim undo"))
    }

    fn document(&self) -> Value {
        json::restored(self)
    }
}

impl Answer for VersionReport {
    fn screen(&self, _: &Frame) -> Screen {
        let mut screen = Screen::new();
        screen.line(Line::new().plain("tf-shim ").plain(self.version));
        screen
    }

    fn document(&self) -> Value {
        json::version(self)
    }
}

impl Answer for ScriptReport {
    /// To be read; for a shell the bytes are printed as they are.
    fn screen(&self, _: &Frame) -> Screen {
        let mut screen = Screen::new();
        String::from_utf8_lossy(&self.script)
            .lines()
            .for_each(|line| screen.line(Line::new().plain(line)));
        screen
    }

    fn document(&self) -> Value {
        json::install::script(self)
    }
}

fn one(line: Line) -> Screen {
    let mut screen = Screen::new();
    screen.line(Line::of(Role::Dim, OURS).join(line));
    screen
}

#[cfg(test)]
mod tests {
    use crate::ops::report::{NoteReport, RestoreReport};
    use crate::ui::samples::{apply, at_80, coloured, image, state};

    #[test]
    fn the_thing_comes_last() {
        let state = state("/srv/net/terraform.tfstate");
        let saved = NoteReport { state: state.clone(), done: "saved", operation: apply() };
        assert_eq!(at_80(&saved), "tf shim: saved 7c1e9a04\n");
        assert_eq!(coloured(&saved), "^[2mtf shim: ^[0msaved ^[36m7c1e9a04^[0m\n");
        let (before, after) = (image(42, 131), image(43, 128));
        let restored = RestoreReport { state, operation: apply(), before, after, is_undo: false };
        insta::assert_snapshot!(at_80(&restored), @r#"
        tf shim: restored: serial 42 → 43, +3 ~1 -0 · undo with: tf shim undo
        "#);
    }
}
