//! Parts of the documentation that tests write: what stands between two markers is what a test has seen.
//!
//! A page says `<!-- NAME: begin -->` and `<!-- NAME: end -->`. The test compares what is between them with
//! what it saw, and writes it where `TF_SHIM_TESTS_ACCEPT=1` is set.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Tests of one process may write the same page.
static WRITING: Mutex<()> = Mutex::new(());

/// Fails where a page of `docs/` shows something else under a name; writes it where that was asked for.
///
/// # Panics
/// If it differs, or the page has no such part.
#[track_caller]
pub fn compare_or_accept(page: &str, name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
    let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let whole = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->"));
    let (head, rest) = whole.split_once(&begin).expect("the part begins");
    let (is, tail) = rest.split_once(&end).expect("the part ends");
    if std::env::var_os("TF_SHIM_TESTS_ACCEPT").is_some_and(|value| value == "1") {
        std::fs::write(&path, format!("{head}{begin}{text}{end}{tail}")).unwrap();
        return;
    }
    assert!(is == text, "docs/{page} is old: run with TF_SHIM_TESTS_ACCEPT=1\n{text}");
}
