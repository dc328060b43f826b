//! How each report looks as text.
//!
//! A screen is at most as wide as the terminal it is for; what does not fit is cut in tables, where it
//! is a glance, and folded elsewhere, where it is the thing itself. Without a terminal nothing is cut
//! or folded.

mod changes;
mod check;
mod diff;
mod doctor;
mod install;
mod list;
pub(super) mod refusal;
mod restore;
mod results;
mod show;
mod status;
mod which;

use super::style::{Line, Role, Screen};
use super::time::Clock;

/// What a screen has to fit into.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    /// Columns of the terminal; none where there is none.
    pub(crate) width: Option<usize>,
    /// For times.
    pub(crate) clock: Clock,
}

/// Columns before everything that stands under a header.
const MARGIN: usize = 2;

/// Labelled facts, one or more lines each, the texts under each other.
struct Facts {
    rows: Vec<(String, Vec<Line>)>,
}

impl Facts {
    fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// Adds a fact, if it is known.
    fn add(&mut self, label: &str, fact: Option<Line>) {
        if let Some(fact) = fact {
            self.rows.push((label.to_owned(), vec![fact]));
        }
    }

    /// Adds a fact of several lines, if it has any.
    fn add_all(&mut self, label: &str, facts: Vec<Line>) {
        if !facts.is_empty() {
            self.rows.push((label.to_owned(), facts));
        }
    }

    fn lay_out(self, frame: &Frame) -> Screen {
        let longest = self.rows.iter().map(|(label, _)| label.chars().count()).max();
        let indent = longest.unwrap_or(0) + MARGIN * 2;
        let mut screen = Screen::new();
        for (label, facts) in self.rows {
            let mut lead = Line::new().padded(MARGIN).with(Role::Dim, &label).padded(indent);
            for fact in facts {
                screen.fold_line(lead, fact, frame.width);
                lead = Line::new().padded(indent);
            }
        }
        screen
    }
}
