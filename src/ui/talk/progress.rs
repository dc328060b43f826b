//! How far a check is, a line at a time.

use std::time::Duration;

use chrono::TimeDelta;

use super::super::failure::OURS;
use super::super::style::{Line, Role, Screen};
use super::super::time::duration;
use crate::check::report::{Step, StepName};

/// A step that runs: `tf shim: plan again · 12 s`.
pub(crate) fn running(step: StepName, for_so_long: Duration) -> Line {
    let line = Line::of(Role::Dim, OURS).plain(step.title());
    if for_so_long < Duration::from_secs(1) {
        return line.with(Role::Dim, " …");
    }
    line.with(Role::Dim, &format!(" · {}", elapsed(for_so_long)))
}

/// A step that runs for long, where lines stay.
pub(crate) fn still_running(step: StepName, for_so_long: Duration) -> Screen {
    let mut screen = Screen::new();
    let text = format!("{}: still running after {}", step.title(), elapsed(for_so_long));
    screen.line(Line::of(Role::Dim, OURS).plain(&text));
    screen
}

/// A signal came, and Terraform has it: the next one would be its second.
pub(crate) fn stopping() -> Screen {
    let mut screen = Screen::new();
    let text = "interrupted; waiting for Terraform: a second one may lose its work";
    screen.line(Line::of(Role::Dim, OURS).with(Role::Warning, text));
    screen
}

/// Nothing runs, so that things may settle.
pub(crate) fn resting(for_so_long: Duration) -> Line {
    let left = for_so_long.as_secs().saturating_add(u64::from(for_so_long.subsec_nanos() > 0));
    let text = format!("waiting for things to settle · {}", elapsed(Duration::from_secs(left)));
    Line::of(Role::Dim, OURS).plain(&text)
}

/// A step that has ended: `tf shim: plan again: no changes · 2.1 s`.
pub(crate) fn ended(step: &Step) -> Screen {
    let mut screen = Screen::new();
    let role = match step.exit {
        Some(0 | 2) => Role::Plain,
        Some(_) | None => Role::Error,
    };
    let line = Line::of(Role::Dim, OURS)
        .plain(step.name.title())
        .plain(": ")
        .with(role, &step.result)
        .with(Role::Dim, &format!(" · {}", elapsed(step.took)));
    screen.line(line);
    screen
}

fn elapsed(time: Duration) -> String {
    duration(TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::ui::Paint;

    #[test]
    fn a_step_says_what_came_of_it_and_how_long_it_took() {
        let step = Step {
            name: StepName::PlanAgain,
            argv: Vec::new(),
            exit: Some(0),
            signal: None,
            began: DateTime::UNIX_EPOCH,
            took: Duration::from_millis(2140),
            result: "no changes".to_owned(),
            log: None,
        };
        assert_eq!(ended(&step).render(Paint::Plain), "tf shim: plan again: no changes · 2.1 s\n");
        let long = still_running(StepName::Apply, Duration::from_secs(185));
        assert_eq!(long.render(Paint::Plain), "tf shim: apply: still running after 3 min 5 s\n");
    }

    #[test]
    fn what_is_left_of_a_rest_is_rounded_up() {
        let line = resting(Duration::from_millis(29_100));
        assert_eq!(line.render(Paint::Plain), "tf shim: waiting for things to settle · 30 s");
    }
}
