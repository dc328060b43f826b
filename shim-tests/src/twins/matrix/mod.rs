//! The matrix: cases that were thought of, by theme. Every command of `terraform -help` (1.11.4) and its
//! subcommands is in it, which a test holds against the help text itself.

mod commands;
mod environment;
mod fakes;
mod grammar;
mod places;
mod streams;

use super::case::Case;

/// Returns every case, with a name that says its theme and its number there.
#[must_use]
pub fn matrix() -> Vec<Case> {
    let themes = [
        ("commands", commands::cases()),
        ("grammar", grammar::cases()),
        ("environment", environment::cases()),
        ("places", places::cases()),
        ("streams", streams::cases()),
        ("fakes", fakes::cases()),
    ];
    let named = themes.into_iter().flat_map(|(theme, cases)| {
        let name =
            move |(number, case): (usize, Case)| Case { name: format!("{theme} {number}"), ..case };
        cases.into_iter().enumerate().map(name)
    });
    named.collect()
}
