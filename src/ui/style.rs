//! Lines of text whose parts have roles, and how they become bytes.
//!
//! This is the escaping printer: every text that becomes part of a [`Line`] goes through
//! [`escape`], so nothing that comes from a state, a path or another program can move the cursor,
//! break the line or change its direction. Colours exist only here, as roles.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::width;
use crate::model::text::escape;

/// What a part of a line is. The colour follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Ordinary text.
    Plain,
    /// What stands above something.
    Title,
    /// A failure or a refusal.
    Error,
    /// Something to look at before going on.
    Warning,
    /// A next step, a command to type.
    Hint,
    /// An operation id.
    Id,
    /// Only in the newer state.
    Added,
    /// Only in the older state.
    Removed,
    /// In both, and different.
    Changed,
    /// Of lesser weight: labels, what is unknown.
    Dim,
}

impl Role {
    fn style(self) -> Style {
        let colour = |colour: AnsiColor| colour.on_default();
        match self {
            Self::Plain => Style::new(),
            Self::Title => Style::new().bold(),
            Self::Error => colour(AnsiColor::Red).bold(),
            Self::Warning | Self::Changed => colour(AnsiColor::Yellow),
            Self::Hint | Self::Id => colour(AnsiColor::Cyan),
            Self::Added => colour(AnsiColor::Green),
            Self::Removed => colour(AnsiColor::Red),
            Self::Dim => Style::new().dimmed(),
        }
    }
}

/// Whether roles become colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    /// Text alone.
    Plain,
    /// With the escape sequences of the roles.
    Colour,
}

/// One part of a line: escaped text and its role.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Span {
    role: Role,
    text: String,
}

/// One line, made of parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line(Vec<Span>);

impl Line {
    /// A line without anything.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A line with one part.
    pub(crate) fn of(role: Role, text: &str) -> Self {
        Self::new().with(role, text)
    }

    /// Adds a part.
    pub(crate) fn with(mut self, role: Role, text: &str) -> Self {
        self.push(role, text);
        self
    }

    /// Adds an ordinary part.
    pub(crate) fn plain(self, text: &str) -> Self {
        self.with(Role::Plain, text)
    }

    /// Adds a part, in place.
    pub(crate) fn push(&mut self, role: Role, text: &str) {
        if !text.is_empty() {
            self.0.push(Span { role, text: escape(text.as_bytes()) });
        }
    }

    /// Adds the parts of another line.
    pub(crate) fn join(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Adds a character that is escaped already.
    fn extend(&mut self, role: Role, character: char) {
        match self.0.last_mut() {
            Some(span) if span.role == role => span.text.push(character),
            Some(_) | None => self.0.push(Span { role, text: character.to_string() }),
        }
    }

    /// How many columns it takes.
    pub(crate) fn columns(&self) -> usize {
        self.0.iter().map(|span| width::columns(&span.text)).sum()
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds blanks up to a width.
    pub(crate) fn padded(mut self, columns: usize) -> Self {
        let missing = columns.saturating_sub(self.columns());
        self.push(Role::Plain, &" ".repeat(missing));
        self
    }

    /// Cuts it to at most `limit` columns.
    pub(crate) fn cut(self, limit: usize) -> Self {
        if self.columns() <= limit {
            return self;
        }
        let mut left = limit;
        let mut kept = Self::new();
        for span in self.0 {
            let columns = width::columns(&span.text);
            if columns >= left {
                // One column more, so that the mark is set even where this part just fits.
                let text = width::cut(&format!("{}  ", span.text), left);
                kept.0.push(Span { role: span.role, text });
                break;
            }
            left = left.saturating_sub(columns);
            kept.0.push(span);
        }
        kept
    }

    /// Writes the line without its end; blanks at the end are left out.
    pub(crate) fn render(&self, paint: Paint) -> String {
        let mut written = String::new();
        let last = self.0.iter().rposition(|span| !span.text.trim_end().is_empty());
        let shown = last.map_or(0, |last| last.saturating_add(1));
        for (at, span) in self.0.iter().take(shown).enumerate() {
            let is_last = at.saturating_add(1) == shown;
            let text = if is_last { span.text.trim_end() } else { &span.text };
            let style = span.role.style();
            if paint == Paint::Plain || span.role == Role::Plain {
                written.push_str(text);
            } else {
                // Writing to a string cannot fail.
                let _ = write!(written, "{style}{text}{style:#}");
            }
        }
        written
    }
}

/// Lines, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Screen(Vec<Line>);

impl Screen {
    /// A screen without lines.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, line: Line) {
        self.0.push(line);
    }

    /// Adds an empty line, unless there is one already or nothing above.
    pub(crate) fn gap(&mut self) {
        if self.0.last().is_some_and(|last| !last.is_empty()) {
            self.0.push(Line::new());
        }
    }

    /// Adds the lines of another screen.
    pub(crate) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Adds `lead` and behind it a text that is folded to the width, its other lines under the first.
    /// Without a width it stays in one line.
    pub(crate) fn fold(&mut self, lead: Line, role: Role, text: &str, width: Option<usize>) {
        let text = escape(text.as_bytes());
        let Some(width) = width else {
            self.line(lead.with(role, &text));
            return;
        };
        let indent = lead.columns();
        let room = width.saturating_sub(indent);
        let mut lead = lead;
        for part in width::wrap(&text, room, room) {
            if part.is_empty() {
                continue;
            }
            self.line(lead.with(role, &part));
            lead = Line::new().padded(indent);
        }
        if !lead.is_empty() && lead.columns() == indent && text.is_empty() {
            self.line(lead);
        }
    }

    /// Adds `lead` and behind it a line of parts, folded as [`Screen::fold`] does.
    pub(crate) fn fold_line(&mut self, lead: Line, line: Line, width: Option<usize>) {
        let indent = lead.columns();
        let fits = width.is_none_or(|width| indent.saturating_add(line.columns()) <= width);
        if fits {
            self.line(lead.join(line));
            return;
        }
        let room = width.unwrap_or(usize::MAX).saturating_sub(indent);
        let whole: String = line.0.iter().map(|span| span.text.as_str()).collect();
        let mut left = line
            .0
            .iter()
            .flat_map(|span| span.text.chars().map(|character| (character, span.role)));
        let mut lead = lead;
        for text in width::wrap(&whole, room, room) {
            let mut folded = Line::new();
            for character in text.chars() {
                // What is passed over are blanks where a line was broken.
                let role = left.find(|(other, _)| *other == character).map(|(_, role)| role);
                folded.extend(role.unwrap_or(Role::Plain), character);
            }
            self.line(lead.join(folded));
            lead = Line::new().padded(indent);
        }
    }

    /// Its lines, for another place.
    pub(crate) fn into_lines(self) -> Vec<Line> {
        self.0
    }

    /// Writes every line with its end.
    pub(crate) fn render(&self, paint: Paint) -> String {
        self.0.iter().map(|line| line.render(paint) + "\n").collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Paint, Role, Screen};

    #[test]
    fn foreign_text_cannot_leave_its_place() {
        let line = Line::of(Role::Id, "a\x1b[2J\n\u{202e}b");
        assert_eq!(line.render(Paint::Plain), r"a\u{1b}[2J\n\u{202e}b");
        assert_eq!(line.render(Paint::Colour), "\x1b[36ma\\u{1b}[2J\\n\\u{202e}b\x1b[0m");
    }

    #[test]
    fn lines_are_cut_where_they_stop_fitting() {
        let line = Line::of(Role::Dim, "abc").plain("defgh");
        assert_eq!(line.clone().cut(8).render(Paint::Plain), "abcdefgh");
        assert_eq!(line.clone().cut(7).render(Paint::Plain), "abcdef…");
        assert_eq!(line.cut(3).render(Paint::Plain), "ab…");
    }

    #[test]
    fn texts_fold_under_their_beginning() {
        let mut screen = Screen::new();
        screen.fold(Line::of(Role::Dim, "  hint:  "), Role::Plain, "one two three four", Some(20));
        assert_eq!(screen.render(Paint::Plain), "  hint:  one two\n         three four\n");
    }
}
