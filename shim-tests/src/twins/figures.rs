//! The numbers of `docs/fidelity.md`: what they are, and where in the page they stand.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ends::Ends;
use super::exceptions::Exception;
use super::suite::Tally;

/// Where the numbers begin in the page.
const BEGIN: &str = "<!-- figures: begin -->\n";
/// Where they end.
const END: &str = "<!-- figures: end -->";

/// Everything the page tells.
#[derive(Debug)]
pub struct Figures {
    /// The matrix, carried out plainly twice.
    pub noise: Tally,
    /// The matrix, through the shim.
    pub matrix: Tally,
    /// Random command lines, through the shim.
    pub random: Tally,
    /// Their seed.
    pub seed: u64,
    /// Statuses and signals, forwarded and guarded.
    pub ends: [Ends; 2],
    /// What `terraform version` says first.
    pub terraform: String,
    /// The machine.
    pub machine: String,
    /// The day, as the machine has it.
    pub date: String,
    /// How long everything took.
    pub taken: Duration,
}

impl Figures {
    /// Returns how much of what was compared differed, noise and ends included.
    #[must_use]
    pub fn differences(&self) -> usize {
        let ends: usize = self.ends.iter().map(|ends| ends.missed.len()).sum();
        self.noise.found.len() + self.matrix.found.len() + self.random.found.len() + ends
    }
}

/// The page.
#[must_use]
pub fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/fidelity.md")
}

/// Returns a page with other figures between its markers.
///
/// # Panics
/// If it has no markers.
#[must_use]
pub fn with_figures(page: &str, figures: &Figures) -> String {
    let (head, rest) = page.split_once(BEGIN).expect("the page says where its figures begin");
    let (_, tail) = rest.split_once(END).expect("the page says where its figures end");
    format!("{head}{BEGIN}{figures}{END}{tail}")
}

/// Returns the exceptions as the page lists them.
#[must_use]
pub fn exceptions() -> String {
    let lines = Exception::ALL.iter().map(|exception| format!("* {}\n", exception.sentence()));
    lines.collect()
}

/// The table, and the line above it.
impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { noise, matrix, random, seed, ends, terraform, machine, date, taken } = self;
        writeln!(f, "\n{date}: {terraform}. {} s in all, on\n{machine}.\n", taken.as_secs())?;
        writeln!(f, "| What | Cases | Ended with 0 | Recorded | Changed a state | Differences |")?;
        writeln!(f, "| --- | ---: | ---: | ---: | ---: | ---: |")?;
        let rows = [
            ("the matrix, twice without `tf`".to_owned(), noise),
            ("the matrix, as `tf` and as `terraform`".to_owned(), matrix),
            (format!("random command lines, seed {seed}"), random),
        ];
        for (what, tally) in rows {
            let Tally { cases, ended_well, recorded, changed, found, .. } = tally;
            let share = |count: &usize| format!("{count} ({} %)", count * 100 / cases.max(&1));
            let (well, recorded, changed) = (share(ended_well), share(recorded), share(changed));
            writeln!(
                f,
                "| {what} | {cases} | {well} | {recorded} | {changed} | {} |",
                found.len()
            )?;
        }
        writeln!(f, "\n| Ends of the program behind | Tried | Reproduced |")?;
        writeln!(f, "| --- | ---: | ---: |")?;
        for ((kind, _), ends) in super::ends::KINDS.iter().zip(ends) {
            let Ends { statuses, signals, missed } = ends;
            let tried = ends.tried();
            let what = format!("{kind}: {statuses} exit statuses, {signals} signals");
            writeln!(f, "| {what} | {tried} | {} |", tried - missed.len())?;
        }
        writeln!(f)
    }
}
