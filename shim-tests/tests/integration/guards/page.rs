//! The table as `docs/guards.md` shows it.

use std::fmt::Write;

use super::contract::Answer;
use super::states::Odd;
use super::verbs::VERBS;

/// Returns the columns and the rows; commands with the same answers everywhere share a column.
pub(crate) fn table(rows: &[(&Odd, Vec<Answer>)]) -> String {
    let column = |verb: usize| rows.iter().map(|(_, answers)| &answers[verb]).collect::<Vec<_>>();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for verb in 0..VERBS.len() {
        match groups.iter_mut().find(|group| column(group[0]) == column(verb)) {
            Some(group) => group.push(verb),
            None => groups.push(vec![verb]),
        }
    }
    let mut text = String::from("\n");
    for (number, group) in groups.iter().enumerate() {
        let words: Vec<String> =
            group.iter().map(|&verb| format!("`{}`", VERBS[verb].words)).collect();
        fold(&mut text, &format!("{}. ", number + 1), &words.join(", "));
    }
    let heads = (1..=groups.len()).map(|number| number.to_string());
    let heads: Vec<String> = std::iter::once("What lies there".to_owned()).chain(heads).collect();
    let mut lines = vec![heads];
    for (odd, answers) in rows {
        let cells = groups.iter().map(|group| answers[group[0]].to_string());
        lines.push(std::iter::once(odd.what.to_owned()).chain(cells).collect());
    }
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..=groups.len()).map(width).collect();
    let rule = widths.iter().map(|width| "-".repeat(*width)).collect();
    lines.insert(1, rule);
    text.push('\n');
    for line in &lines {
        for (cell, width) in line.iter().zip(&widths) {
            write!(text, "| {cell:width$} ").unwrap();
        }
        text.push_str("|\n");
    }
    text.push('\n');
    text
}

/// Appends an item of a list, folded at 100 columns.
fn fold(text: &mut String, lead: &str, words: &str) {
    let mut line = lead.to_owned();
    for word in words.split_inclusive(", ") {
        if line.chars().count() + word.trim_end().chars().count() > 100 {
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(lead.len());
        }
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}
