//! Everything that a person reads, and the JSON that a script reads.
//!
//! Reports come in as plain values and leave as a [`Screen`] or a document; [`Ui`] alone writes them.
//! Answers go to stdout, talk and failures to stderr. Nothing here decides what is done, and nothing
//! but [`Ui::confirm`] and `ask` reads stdin. What is easy to get wrong: stdout and stderr are judged
//! separately, because one is often a pipe where the other is a terminal; and a reader that has gone
//! away (`tf shim list | head`) is no failure.

mod ask;
pub(crate) mod failure;
mod json;
pub(crate) mod report;
mod screen;
mod style;
mod table;
pub(crate) mod talk;
mod time;
mod width;
mod words;

#[cfg(test)]
mod samples;

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::os::fd::AsFd as _;

use anstream::{AutoStream, ColorChoice};
use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::guard::refusal::Refusal;
use crate::model::text::escape;

pub(crate) use self::screen::Frame;
pub(crate) use self::style::{Line, Paint, Role, Screen};
use self::time::Clock;
pub(crate) use self::time::from_local;

/// What `--color` asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Color {
    /// Where the stream is a terminal that can, and `NO_COLOR` is not set.
    #[default]
    Auto,
    /// Even in a pipe.
    Always,
    /// Nowhere.
    Never,
}

/// In which form an answer is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For a person.
    Text,
    /// One JSON document (`--json`).
    Json,
}

/// Who hears of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// A person at a terminal.
    Person,
    /// A pipeline or an agent.
    Programs,
}

/// A report that can be shown.
pub(crate) trait Answer {
    /// How it looks.
    fn screen(&self, frame: &Frame) -> Screen;

    /// What it says, for a script.
    fn document(&self) -> Value;

    /// What has to be said about it on stderr, in sentences, in both forms.
    fn warnings(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// One of our two streams: how it is painted and how wide it is.
#[derive(Clone, Copy)]
struct Stream {
    paint: Paint,
    /// Columns; none where it is no terminal, so that nothing is folded or cut.
    width: Option<usize>,
}

/// Columns of a terminal that does not tell.
const USUAL_COLUMNS: usize = 80;

/// The streams of this process, and how to write to them.
pub(crate) struct Ui {
    out: Stream,
    err: Stream,
    clock: Clock,
}

impl Ui {
    /// Looks at the two streams. `now` is the time that relative times count from. UTC.
    pub(crate) fn new(color: Color, now: DateTime<Utc>) -> Self {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let out = Stream {
            paint: paint(color, AutoStream::choice(&stdout)),
            width: stdout.is_terminal().then(|| columns(terminal_size::terminal_size_of(&stdout))),
        };
        let err = Stream {
            paint: paint(color, AutoStream::choice(&stderr)),
            width: stderr.is_terminal().then(|| columns(terminal_size::terminal_size_of(&stderr))),
        };
        Self { out, err, clock: Clock::at(now) }
    }

    /// What screens for stdout need to know.
    pub(crate) fn frame(&self) -> Frame {
        Frame { width: self.out.width, clock: self.clock }
    }

    /// Writes a report to stdout, and before it to stderr what has to be said about it.
    ///
    /// # Errors
    /// stdout cannot be written, as when a disk is full. A reader that has gone away is no error.
    pub(crate) fn answer(&self, report: &dyn Answer, format: Format) -> io::Result<()> {
        report.warnings().into_iter().for_each(|sentence| self.warn(sentence));
        match format {
            Format::Text => self.print(&report.screen(&self.frame())),
            Format::Json => write_out(json::written(&report.document()).as_bytes()),
        }
    }

    /// Writes lines to stdout.
    ///
    /// # Errors
    /// As [`Ui::answer`].
    pub(crate) fn print(&self, screen: &Screen) -> io::Result<()> {
        write_out(screen.render(self.out.paint).as_bytes())
    }

    /// Writes our own text to stdout, in its plain or its coloured form. It is not escaped: only for
    /// help texts.
    ///
    /// # Errors
    /// As [`Ui::answer`].
    pub(crate) fn print_help(&self, plain: &str, coloured: &str) -> io::Result<()> {
        match self.out.paint {
            Paint::Plain => write_out(plain.as_bytes()),
            Paint::Colour => write_out(coloured.as_bytes()),
        }
    }

    /// Writes exact bytes to stdout, for `cat`.
    ///
    /// # Errors
    /// As [`Ui::answer`].
    #[expect(clippy::unused_self, reason = "whoever writes holds the streams")]
    pub(crate) fn print_bytes(&self, bytes: &[u8]) -> io::Result<()> {
        write_out(bytes)
    }

    /// Writes lines to stderr. Whether they are wanted is the caller's to know; see
    /// [`talk::When::is_shown`].
    pub(crate) fn talk(&self, screen: &Screen) {
        write_err(screen.render(self.err.paint).as_bytes());
    }

    /// Writes a report to stderr as text, such as a plan above the question about it.
    pub(crate) fn explain(&self, report: &dyn Answer) {
        self.talk(&report.screen(&self.talk_frame()));
    }

    /// Writes an empty line to stderr.
    pub(crate) fn gap(&self) {
        let mut screen = Screen::new();
        screen.line(Line::new());
        self.talk(&screen);
    }

    /// What screens for stderr need to know.
    pub(crate) fn talk_frame(&self) -> Frame {
        Frame { width: self.err.width, clock: self.clock }
    }

    /// Writes a failure to stderr.
    pub(crate) fn fail(&self, failure: &failure::Failure) {
        self.talk(&failure.screen(&self.talk_frame()));
    }

    /// Says on stderr that a command was refused. Where no person is there to read it, in one line of JSON
    /// for each guard, too: it stands alone.
    pub(crate) fn refuse(&self, verb: &str, refusals: &[Refusal], audience: Audience) {
        self.talk(&screen::refusal::refused(verb, refusals, &self.talk_frame()));
        if audience == Audience::Programs {
            for refusal in refusals {
                write_err(format!("{}\n", json::refusal::line(refusal)).as_bytes());
            }
        }
    }

    /// Writes one warning to stderr, which begins `tf shim: `.
    pub(crate) fn warn(&self, sentence: &str) {
        let mut screen = Screen::new();
        let lead = Line::of(Role::Warning, failure::OURS);
        screen.fold(lead, Role::Plain, sentence, self.err.width);
        self.talk(&screen);
    }

    /// Whether stderr is a terminal.
    #[expect(clippy::unused_self, reason = "whoever talks holds the streams")]
    pub(crate) fn stderr_is_terminal(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// Whether a person is there to be asked: stdin and stderr are terminals.
    #[expect(clippy::unused_self, reason = "whoever asks holds the streams")]
    pub(crate) fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks on stderr, in Terraform's manner, and reads one line of stdin, byte by byte, so that
    /// nothing that comes after it is taken. True where the answer is exactly `yes`. Nobody is asked, and the
    /// answer is no, where there is no terminal: the caller needs `--yes` there.
    pub(crate) fn confirm(&self, question: &str) -> bool {
        self.confirm_while(question, &|| true)
    }

    /// As [`Ui::confirm`]; `waits` returns when there is something to read, or false where the question
    /// has become idle, which is a no.
    pub(crate) fn confirm_while(&self, question: &str, waits: &dyn Fn() -> bool) -> bool {
        if !self.can_ask() {
            return false;
        }
        let mut screen = Screen::new();
        screen.line(Line::of(Role::Title, failure::OURS).with(Role::Title, question));
        screen.line(Line::new().plain("  Only 'yes' will be accepted to approve."));
        screen.line(Line::new());
        let prompt = Line::of(Role::Title, "  Enter a value:").render(self.err.paint);
        write_err(format!("{}{prompt} ", screen.render(self.err.paint)).as_bytes());
        let answer = read_line(waits);
        // What is typed next must not stand in the prompt's line, even where the input just ended.
        write_err(if answer.is_some() { b"\n" } else { b"\n\n" });
        answer.is_some_and(|answer| answer == b"yes")
    }

    /// Writes foreign text to stderr, made fit for a terminal: what Terraform said. No line of it can pass for
    /// one of ours.
    #[expect(clippy::unused_self, reason = "whoever talks holds the streams")]
    pub(crate) fn quote(&self, text: &str) {
        write_err(quotable(text).as_bytes());
    }

    /// Whether a line on stderr can be written over by the next.
    pub(crate) fn can_write_over(&self) -> bool {
        self.stderr_is_terminal() && std::env::var_os("TERM").is_none_or(|kind| kind != "dumb")
    }

    /// Whether stderr shows colours.
    pub(crate) fn talks_in_colour(&self) -> bool {
        self.err.paint == Paint::Colour
    }

    /// Writes a line on stderr that the next one writes over; a line that is too long is cut, because only one
    /// line can be written over.
    pub(crate) fn write_over(&self, line: &Line) {
        let mut screen = Screen::new();
        let columns = self.err.width.unwrap_or(USUAL_COLUMNS).saturating_sub(1);
        screen.line(line.clone().cut(columns));
        let text = screen.render(self.err.paint);
        write_err(format!("\r{}\u{1b}[K", text.trim_end_matches('\n')).as_bytes());
    }

    /// Takes away the line that [`Ui::write_over`] wrote.
    #[expect(clippy::unused_self, reason = "whoever talks holds the streams")]
    pub(crate) fn wipe(&self) {
        write_err(b"\r\x1b[K");
    }
}

fn paint(color: Color, judged: ColorChoice) -> Paint {
    let is_coloured = match color {
        Color::Auto => judged != ColorChoice::Never,
        Color::Always => true,
        Color::Never => false,
    };
    if is_coloured { Paint::Colour } else { Paint::Plain }
}

fn columns(size: Option<(terminal_size::Width, terminal_size::Height)>) -> usize {
    let told = size.map(|(width, _)| usize::from(width.0)).filter(|columns| *columns > 0);
    told.unwrap_or(USUAL_COLUMNS)
}

fn write_out(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Nobody can be told that stderr cannot be written.
fn write_err(bytes: &[u8]) {
    let _ = io::stderr().lock().write_all(bytes);
}

/// One line without its end; none where the input ends or fails before it does. Not through
/// [`io::Stdin`], which reads ahead.
fn read_line(waits: &dyn Fn() -> bool) -> Option<Vec<u8>> {
    let mut stdin = std::fs::File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
    let mut line = Vec::new();
    let mut byte = [0];
    while waits() {
        match stdin.read(&mut byte) {
            Ok(0) => return None,
            Ok(_) if byte == *b"\n" => return Some(line),
            Ok(_) => line.extend(byte),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    None
}

/// Foreign text, line by line, with what could steer a terminal escaped.
fn quotable(text: &str) -> String {
    let quoted = |line: &str| {
        let indent = if line.starts_with(failure::OURS) { "  " } else { "" };
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        let cells: Vec<_> = body.split('\t').map(|cell| escape(cell.as_bytes())).collect();
        format!("{indent}{}{end}", cells.join("\t"))
    };
    text.split_inclusive('\n').map(quoted).collect()
}

#[cfg(test)]
mod tests {
    use super::quotable;

    #[test]
    fn foreign_text_keeps_its_lines_and_steers_nothing() {
        let text = "Error:\ta\u{1b}[2J\0\r\n\ntf shim: forged \u{202e}";
        assert_eq!(quotable(text), "Error:\ta\\u{1b}[2J\\u{0}\\r\n\n  tf shim: forged \\u{202e}");
        assert_eq!(quotable(""), "");
    }
}
