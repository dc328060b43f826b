//! Carrying out many cases on every core, and counting.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::grammar::shrink::shrink;
use crate::transcript::End;

use super::case::Case;
use super::differences::Difference;
use super::exceptions::Exception;
use super::seen::Seen;
use super::stage::{Stage, Who};
use super::worlds::Worlds;

/// So many cases that differ are explained; the others are only told.
const EXPLAINED: usize = 20;

/// How often Terraform is run by itself to see whether what differed is its own doing.
const PLAIN_RUNS: usize = 8;

/// After so many nobody wants to see more.
const ENOUGH: usize = 100;

/// How cases are carried out.
#[derive(Clone, Copy, Debug)]
pub struct Manner<'m> {
    /// Who is held against the plain twin.
    pub shimmed: &'m [Who],
    /// How many stages work at once.
    pub threads: usize,
    /// Whether a case that differs is made smaller.
    pub shrinks: bool,
}

/// What came of all of them.
#[derive(Debug, Default)]
pub struct Tally {
    /// Cases.
    pub cases: usize,
    /// Comparisons: a case may be compared more than once.
    pub comparisons: usize,
    /// Cases that ended with 0.
    pub ended_well: usize,
    /// Cases of which the shim made a record.
    pub recorded: usize,
    /// Cases that changed a state.
    pub changed: usize,
    /// Everything that differed.
    pub found: Vec<Found>,
}

/// A case that differed.
#[derive(Debug)]
pub struct Found {
    /// Its number.
    pub number: usize,
    /// The case, made as small as it could be.
    pub case: Case,
    /// Who carried it out.
    pub who: Who,
    /// What differs.
    pub differences: Vec<Difference>,
    /// How many of three plain runs of it differ from a fourth: more than none is Terraform's own doing.
    /// None where there were too many to ask.
    pub noise: Option<usize>,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "case {} by {:?}: {} {}", self.number, self.who, self.case.name, self.case)?;
        for difference in &self.differences {
            writeln!(f, "{difference}")?;
        }
        match self.noise {
            Some(noise) => write!(f, "  (of three plain runs, {noise} differ from a fourth)"),
            None => Ok(()),
        }
    }
}

impl Tally {
    /// Carries out that many cases, which `draw` makes by number.
    ///
    /// # Panics
    /// If a case does not end by the deadline.
    #[must_use]
    pub fn of(
        worlds: &Worlds,
        count: usize,
        draw: &(dyn Fn(usize) -> Case + Sync),
        manner: Manner<'_>,
    ) -> Self {
        let (next, found) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let all = Mutex::new(Self::default());
        std::thread::scope(|scope| {
            for _ in 0..manner.threads.max(1) {
                scope.spawn(|| {
                    let stage = Stage::new(worlds);
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let known = found.load(Ordering::Relaxed);
                        if number >= count || known >= ENOUGH {
                            return;
                        }
                        let explains = known < EXPLAINED;
                        let one = Self::of_one(&stage, number, &draw(number), manner, explains);
                        found.fetch_add(one.found.len(), Ordering::Relaxed);
                        all.lock().unwrap().add(one);
                    }
                });
            }
        });
        let mut all = all.into_inner().unwrap();
        all.found.sort_by_key(|found| found.number);
        all
    }

    /// Carries out one.
    fn of_one(
        stage: &Stage<'_>,
        number: usize,
        case: &Case,
        manner: Manner<'_>,
        explains: bool,
    ) -> Self {
        let plain = stage.see(case, Who::Plain);
        let mut tally = Self {
            cases: 1,
            ended_well: usize::from(plain.end == End::Status(0)),
            changed: usize::from(plain.has_changed),
            ..Self::default()
        };
        for who in manner.shimmed {
            let shimmed = stage.see(case, *who);
            tally.comparisons += 1;
            tally.recorded = tally.recorded.max(usize::from(shimmed.is_recorded));
            let differences = Difference::between(case, &plain, &shimmed, Exception::ALL);
            if differences.is_empty() || is_what_another_plain_run_does(stage, case, &shimmed) {
                continue;
            }
            let found = Found { number, case: case.clone(), who: *who, differences, noise: None };
            let found = if explains { explain(stage, found, manner.shrinks) } else { found };
            tally.found.push(found);
        }
        tally
    }

    /// Adds what came of another.
    fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.comparisons += other.comparisons;
        self.ended_well += other.ended_well;
        self.recorded += other.recorded;
        self.changed += other.changed;
        self.found.extend(other.found);
    }

    /// Returns what differed, as a text; empty where nothing did.
    #[must_use]
    pub fn complaint(&self) -> String {
        self.found.iter().flat_map(|found| [found.to_string(), "\n".to_owned()]).collect()
    }
}

/// Whether Terraform does the same by itself, another time: where it chooses at random, as between two
/// commands that a mistyped one may have meant, one run is no measure.
fn is_what_another_plain_run_does(stage: &Stage<'_>, case: &Case, shimmed: &Seen) -> bool {
    (0..PLAIN_RUNS).any(|_| {
        let plain = stage.see(case, Who::Plain);
        Difference::between(case, &plain, shimmed, Exception::ALL).is_empty()
    })
}

/// Makes a case that differs smaller, and asks whether Terraform differs from itself.
fn explain(stage: &Stage<'_>, found: Found, shrinks: bool) -> Found {
    let Found { number, case, who, differences, noise: _ } = found;
    let compare = |case: &Case, who: Who| {
        let plain = stage.see(case, Who::Plain);
        Difference::between(case, &plain, &stage.see(case, who), Exception::ALL)
    };
    let differs = |smaller: &Case| !compare(smaller, who).is_empty();
    let case = if shrinks { shrink(&case, &differs) } else { case };
    let again = if shrinks { compare(&case, who) } else { Vec::new() };
    let differences = if again.is_empty() { differences } else { again };
    let noise = (0..3).filter(|_| !compare(&case, Who::Plain).is_empty()).count();
    Found { number, case, who, differences, noise: Some(noise) }
}
