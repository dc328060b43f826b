//! `docs/fidelity.md` says what the suite does.

use shim_tests::twins::figures::{exceptions, page};

#[test]
fn the_exceptions_of_the_page_are_those_of_the_suite() {
    let text = std::fs::read_to_string(page()).unwrap();
    let (_, rest) = text.split_once("<!-- exceptions: begin -->\n").expect("a list begins");
    let (list, _) = rest.split_once("<!-- exceptions: end -->").expect("a list ends");
    assert_eq!(list.trim(), exceptions().trim());
}

#[test]
fn the_page_has_figures_of_a_run_without_differences() {
    let text = std::fs::read_to_string(page()).unwrap();
    let (_, rest) = text.split_once("<!-- figures: begin -->\n").expect("figures begin");
    let (figures, _) = rest.split_once("<!-- figures: end -->").expect("figures end");
    let rows: Vec<&str> = figures
        .lines()
        .filter(|line| line.contains("seed") || line.contains("the matrix"))
        .collect();
    assert_eq!(rows.len(), 3, "{figures}");
    assert!(rows.iter().all(|row| row.ends_with("| 0 |")), "{figures}");
}
