//! `tf shim list` and `list --all`.

use serde_json::Value;

use super::super::style::{Line, Role, Screen};
use super::super::table::{Column, Table};
use super::super::{Answer, json, words};
use super::{Frame, MARGIN};
use crate::model::operation::{Changes, GuardAction, Operation, OperationId, Outcome};
use crate::ops::report::{AllReport, ListReport};

impl Answer for ListReport {
    fn screen(&self, frame: &Frame) -> Screen {
        let mut screen = Screen::new();
        screen.fold_line(Line::new(), words::state(&self.state), frame.width);
        screen.gap();
        if self.operations.is_empty() {
            screen.line(Line::of(Role::Dim, "  no operation yet"));
            return screen;
        }
        screen.append(operations(&self.operations, self.newest_good.as_ref(), frame));
        let hidden = self.total.saturating_sub(self.operations.len());
        if hidden > 0 {
            let more = format!("  {hidden} earlier, see them with: ");
            screen.gap();
            screen.line(
                Line::of(Role::Dim, &more)
                    .with(Role::Hint, &format!("tf shim list -n {}", self.total)),
            );
        }
        screen
    }

    fn document(&self) -> Value {
        json::list(self)
    }

    fn warnings(&self) -> Vec<&str> {
        self.damage.iter().map(String::as_str).collect()
    }
}

impl Answer for AllReport {
    fn screen(&self, frame: &Frame) -> Screen {
        let mut screen = Screen::new();
        if self.histories.is_empty() {
            let store = self.store.display().to_string();
            let lead = Line::of(Role::Dim, "no state in ");
            screen.fold_line(Line::new(), lead.plain(&store), frame.width);
            return screen;
        }
        for history in &self.histories {
            screen.gap();
            screen.fold_line(Line::new(), words::state(&history.state), frame.width);
            let Some(last) = history.operations.first() else {
                screen.line(Line::of(Role::Dim, "  no operation yet"));
                continue;
            };
            let (role, change) = change(last);
            let line = Line::new()
                .padded(MARGIN)
                .with(Role::Id, last.id.short())
                .plain("  ")
                .plain(&frame.clock.relative(last.started))
                .plain("  ")
                .plain(&words::operation(last))
                .plain("  ")
                .plain(&words::serials(last.before.as_ref(), last.after.as_ref()))
                .plain("  ")
                .join(change.unwrap_or_else(|word| Line::of(role, word)))
                .with(Role::Dim, &format!("  {} in all", words::operations(history.total)));
            screen.fold_line(Line::new(), line, frame.width);
        }
        screen
    }

    fn document(&self) -> Value {
        json::all(self)
    }

    fn warnings(&self) -> Vec<&str> {
        let unreadable = self.unreadable.iter().map(String::as_str);
        self.histories.iter().flat_map(ListReport::warnings).chain(unreadable).collect()
    }
}

fn operations(operations: &[Operation], good: Option<&OperationId>, frame: &Frame) -> Screen {
    let column = |title, pleasant, least, gives| Column { title, pleasant, least, gives };
    let mut table = Table::new(vec![
        column("ID", 8, 8, 0),
        column("WHEN", 12, 12, 0),
        column("WHO", 9, 8, 2),
        column("OPERATION", 15, 10, 3),
        column("SERIAL", 8, 7, 5),
        column("CHANGE", 9, 8, 4),
        column("NOTE", 0, 12, 1),
    ]);
    for operation in operations {
        let mark = if good == Some(&operation.id) { "@ " } else { "" };
        let (role, change) = change(operation);
        let cells = vec![
            Line::of(Role::Id, operation.id.short()),
            Line::new().plain(&frame.clock.relative(operation.started)),
            match words::who(operation) {
                Some(who) => Line::new().plain(&who),
                None => Line::of(Role::Dim, "-"),
            },
            Line::new().plain(&words::operation(operation)),
            Line::new().plain(&words::serials(operation.before.as_ref(), operation.after.as_ref())),
            change.unwrap_or_else(|word| Line::of(role, word)),
            note(operation),
        ];
        table.row(Line::of(Role::Title, mark), cells);
    }
    table.lay_out(MARGIN, frame.width)
}

/// What it changed, as counts, or in a word where counts would not tell.
fn change(operation: &Operation) -> (Role, Result<Line, &'static str>) {
    let (role, word) = words::outcome(operation.outcome);
    let has_changed = match (&operation.before, &operation.after) {
        (Some(before), Some(after)) => !before.is_same_find(after),
        _ => false,
    };
    let counts = operation.changes.filter(|changes| has_changed || *changes != Changes::default());
    match (operation.outcome, counts) {
        (Some(Outcome::Done), None) => (Role::Dim, Err("-")),
        (Some(Outcome::Done | Outcome::Failed | Outcome::Killed), Some(changes)) => {
            (role, Ok(words::counts(changes)))
        }
        (
            Some(Outcome::Failed | Outcome::Killed | Outcome::Refused | Outcome::Unknown) | None,
            _,
        ) => (role, Err(word)),
    }
}

/// How it ended where the change does not say it; `pinned`; what a person wrote; what a guard said.
fn note(operation: &Operation) -> Line {
    let mut parts = Vec::new();
    let (role, word) = words::outcome(operation.outcome);
    let ended_badly = matches!(operation.outcome, Some(Outcome::Failed | Outcome::Killed));
    if ended_badly && change(operation).1.is_ok() {
        parts.push(Line::of(role, word));
    }
    match (&operation.note, operation.pinned) {
        (Some(note), true) => parts.push(Line::of(Role::Hint, "pinned").plain(": ").plain(note)),
        (Some(note), false) => parts.push(Line::new().plain(note)),
        (None, true) => parts.push(Line::of(Role::Hint, "pinned")),
        (None, false) => {}
    }
    for guard in &operation.guards {
        let is_named = guard.text.starts_with(guard.guard.as_str());
        let name = if is_named { String::new() } else { format!("{}: ", guard.guard) };
        let role = match guard.action {
            GuardAction::Refused | GuardAction::Noted => Role::Plain,
            GuardAction::Allowed => Role::Dim,
        };
        let allowed = if guard.action == GuardAction::Allowed { "allowed " } else { "" };
        parts.push(Line::of(role, allowed).with(role, &name).with(role, &guard.text));
    }
    let mut parts = parts.into_iter();
    let first = parts.next().unwrap_or_default();
    parts.fold(first, |line, part| line.with(Role::Dim, " · ").join(part))
}

#[cfg(test)]
mod tests {
    use crate::model::operation::Operation;
    use crate::model::redact::OddText;
    use crate::ops::report::{AllReport, ListReport};
    use crate::ui::samples::{at_80, coloured, frame, odd_operations, operations, remote, state};
    use crate::ui::{Answer, Paint};

    fn report(operations: Vec<Operation>) -> ListReport {
        ListReport {
            state: state("/srv/net/terraform.tfstate"),
            newest_good: operations.first().map(|operation| operation.id.clone()),
            total: operations.len(),
            operations,
            damage: Vec::new(),
        }
    }

    #[test]
    fn the_list_is_that_of_the_interface() {
        let list = report(operations());
        insta::assert_snapshot!(list.screen(&frame(None)).render(Paint::Plain), @r#"
        /srv/net · default · local terraform.tfstate · lineage ec80aa96

          ID        WHEN          WHO        OPERATION        SERIAL    CHANGE     NOTE
        @ 7c1e9a04  2 min ago     ana@mbp    apply            41 → 42   +3 ~1 -0
          b3d0417e  yesterday     -          outside tf       40 → 41   +0 ~2 -0
          91aa20c5  3 days ago    ana@mbp    state rm         39 → 40   +0 ~0 -2   pinned: before vpc move
          e07f5b11  12 Nov 23:02  bo@dev3    destroy          38        refused    protected resources
        "#);
    }

    #[test]
    fn the_list_fits_80_columns() {
        let list = ListReport { total: 57, ..report(operations()) };
        insta::assert_snapshot!(at_80(&list), @r#"
        /srv/net · default · local terraform.tfstate · lineage ec80aa96

          ID        WHEN          WHO      OPERATION   SERIAL   CHANGE    NOTE
        @ 7c1e9a04  2 min ago     ana@mbp  apply       41 → 42  +3 ~1 -0
          b3d0417e  yesterday     -        outside tf  40 → 41  +0 ~2 -0
          91aa20c5  3 days ago    ana@mbp  state rm    39 → 40  +0 ~0 -2  pinned: befor…
          e07f5b11  12 Nov 23:02  bo@dev3  destroy     38       refused   protected res…

          53 earlier, see them with: tf shim list -n 57
        "#);
        insta::assert_snapshot!(coloured(&list), @r#"
        ^[1m/srv/net^[0m^[2m · ^[0mdefault^[2m · ^[0mlocal terraform.tfstate^[2m · lineage ec80aa96^[0m

          ^[2mID^[0m        ^[2mWHEN^[0m          ^[2mWHO^[0m      ^[2mOPERATION^[0m   ^[2mSERIAL^[0m   ^[2mCHANGE^[0m    ^[2mNOTE^[0m
        ^[1m@ ^[0m^[36m7c1e9a04^[0m  2 min ago     ana@mbp  apply       41 → 42  ^[32m+3^[0m ^[33m~1^[0m ^[2m-0^[0m
          ^[36mb3d0417e^[0m  yesterday     ^[2m-^[0m        outside tf  40 → 41  ^[2m+0^[0m ^[33m~2^[0m ^[2m-0^[0m
          ^[36m91aa20c5^[0m  3 days ago    ana@mbp  state rm    39 → 40  ^[2m+0^[0m ^[2m~0^[0m ^[31m-2^[0m  ^[36mpinned^[0m: befor…
          ^[36me07f5b11^[0m  12 Nov 23:02  bo@dev3  destroy     38       ^[1m^[31mrefused^[0m   protected res…

        ^[2m  53 earlier, see them with: ^[0m^[36mtf shim list -n 57^[0m
        "#);
    }

    #[test]
    fn odd_names_keep_their_columns() {
        insta::assert_snapshot!(at_80(&report(odd_operations())), @r#"
        /srv/net · default · local terraform.tfstate · lineage ec80aa96

          ID        WHEN        WHO       OPERATION   SERIAL   CHANGE       NOTE
        @ aaaa0004  2 min ago   小林@mbp  apply       -        running
          aaaa0006  2 min ago   ana@mbp   apply       41 → 40  +0 ~12 -10…  allowed old…
          aaaa0005  2 min ago   ana@mbp   save        41       -            🚀 launch\n…
          aaaa0003  2 min ago   ana@mbp   state rep…  41 → ?   unknown
          aaaa0002  2 min ago   מרים\u{…  apply       41       killed
          aaaa0001  2 Mar 2025  ana@mbp   apply       41 → 42  +2 ~0 -0     failed
        "#);
    }

    #[test]
    fn no_width_is_too_small() {
        for width in 1..120 {
            let screen = report(odd_operations()).screen(&frame(Some(width)));
            for line in screen.render(Paint::Plain).lines().skip_while(|line| !line.is_empty()) {
                let columns = crate::ui::width::columns(line);
                assert!(columns <= width, "{columns} of {width}: {line}");
            }
        }
    }

    #[test]
    fn a_history_may_be_empty() {
        let mut list = report(Vec::new());
        list.state = remote();
        insta::assert_snapshot!(at_80(&list), @r#"
        net · prod · s3 acme-states/prod/net.tfstate · no lineage yet

          no operation yet
        "#);
    }

    #[test]
    fn all_states_have_their_last_operation() {
        let mut odd = report(odd_operations());
        odd.state = state(
            "/home/ana/customers/a-very-long-customer-name/projects/🚀/שלום/net/env/terraform.tfstate",
        );
        odd.state.identity.project = OddText::from("net");
        let mut empty = report(Vec::new());
        empty.state = remote();
        let all = AllReport {
            histories: vec![report(operations()), odd, empty],
            store: "/home/ana/.local/state/tf-shim".into(),
            unreadable: Vec::new(),
        };
        insta::assert_snapshot!(at_80(&all), @r#"
        /srv/net · default · local terraform.tfstate · lineage ec80aa96
          7c1e9a04  2 min ago  apply  41 → 42  +3 ~1 -0  4 operations in all

        /home/ana/customers/a-very-long-customer-name/projects/🚀/שלום/net/env · default
        · local terraform.tfstate · lineage ec80aa96
          aaaa0004  2 min ago  apply  -  running  6 operations in all

        net · prod · s3 acme-states/prod/net.tfstate · no lineage yet
          no operation yet
        "#);
        insta::assert_snapshot!(coloured(&AllReport { histories: Vec::new(), ..all }), @r#"
        ^[2mno state in ^[0m/home/ana/.local/state/tf-shim
        "#);
    }
}
