//! The walls of the house: who may talk to whom. The table is that of the design, section 3.2.
//!
//! Every source file of `tf` is read as tokens, so that comments and texts do not count and macro bodies
//! do. What counts as an import: `crate::room…` with or without braces, a chain of `super` that reaches
//! the root, and, in `lib.rs`, a path that starts with the name of a room. Modules under `#[cfg(test)]`
//! are exempt: a test may build on whatever it likes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Which room may use which, itself always included. `main` and `lib` are the files of that name.
const TABLE: &[(&str, &[&str])] = &[
    ("env", &[]),
    ("sys", &[]),
    ("model", &[]),
    ("config", &["env", "model"]),
    ("proxy", &["env", "sys"]),
    ("store", &["model", "sys"]),
    ("terraform", &["env", "model", "proxy", "sys"]),
    ("guard", &["config", "model"]),
    ("check", &["config", "model"]),
    // Of these only the error types; which types they are, the compiler does not let a table see.
    ("error", &["check", "config", "guard", "model", "proxy", "store", "sys", "terraform"]),
    (
        "ops",
        &[
            "check",
            "config",
            "env",
            "error",
            "guard",
            "model",
            "proxy",
            "store",
            "sys",
            "terraform",
        ],
    ),
    ("ui", &["check", "error", "guard", "model", "ops"]),
    (
        "cli",
        &[
            "check",
            "config",
            "env",
            "error",
            "guard",
            "model",
            "ops",
            "proxy",
            "store",
            "sys",
            "terraform",
            "ui",
        ],
    ),
    ("lib", &["cli", "ops", "proxy", "ui"]),
    ("main", &[]),
];

/// A forbidden import, or a file that stands in no room.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    /// Where.
    file: PathBuf,
    /// Line in the file, 1 for the file as a whole.
    line: usize,
    /// What is wrong.
    text: String,
}

/// Returns what a room may use, `None` for a room that is not in the table.
fn allowed(room: &str) -> Option<&'static [&'static str]> {
    TABLE.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed)
}

/// Checks one source file; the path is relative to `src`.
fn check(file: &Path, source: &str) -> Vec<Violation> {
    let violation = |line, text| Violation { file: file.to_owned(), line, text };
    let parts: Vec<String> = file
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .filter(|part| part != "mod")
        .collect();
    let room = parts[0].as_str();
    let Some(allowed) = allowed(room) else {
        return vec![violation(1, format!("`{room}` is no room of the table"))];
    };
    let is_root = matches!(room, "lib" | "main");
    let tokens: TokenStream = match source.parse() {
        Ok(tokens) => tokens,
        Err(error) => return vec![violation(1, format!("is not Rust: {error}"))],
    };
    let mut imports = BTreeSet::new();
    let depth = if is_root { 0 } else { parts.len() };
    collect(tokens, depth, is_root, &mut imports);
    imports
        .into_iter()
        .filter(|(_, name)| name != room && !allowed.contains(&name.as_str()))
        .map(|(line, name)| violation(line, format!("`{room}` may not use `{name}`")))
        .collect()
}

/// Collects the rooms a stream of tokens names, with their lines. `depth` is how many `super` lead to
/// the root; `is_root` says that plain paths start there too.
fn collect(
    tokens: TokenStream,
    depth: usize,
    is_root: bool,
    found: &mut BTreeSet<(usize, String)>,
) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if is_test_attribute(&tokens[at..]) {
            at = end_of_item(&tokens, at + 2);
            continue;
        }
        let is_inline_module = at >= 2
            && is_word(tokens.get(at - 2), "mod")
            && matches!(tokens.get(at - 1), Some(TokenTree::Ident(_)));
        match token {
            TokenTree::Group(group) if is_inline_module => {
                collect(group.stream(), depth + 1, false, found);
            }
            TokenTree::Group(group) => collect(group.stream(), depth, is_root, found),
            TokenTree::Ident(_) if !follows_colons(&tokens, at) => {
                let start = root_end(&tokens, at, depth);
                match start {
                    Some(start) => name_rooms(&tokens[start..], found),
                    None if is_root && is_colons(&tokens, at + 1) => {
                        let name = token.to_string();
                        if allowed(&name).is_some() {
                            found.insert((token.span().start().line, name));
                        }
                    }
                    None => (),
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => (),
        }
        at += 1;
    }
}

/// Returns where a path goes on behind the root of the crate, `None` if it does not start there.
fn root_end(tokens: &[TokenTree], at: usize, depth: usize) -> Option<usize> {
    if is_word(tokens.get(at), "crate") && is_colons(tokens, at + 1) {
        return Some(at + 3);
    }
    let mut end = at;
    let mut steps = 0;
    if is_word(tokens.get(end), "self") && is_colons(tokens, end + 1) {
        end += 3;
    }
    while is_word(tokens.get(end), "super") && is_colons(tokens, end + 1) {
        end += 3;
        steps += 1;
    }
    (steps > 0 && steps == depth).then_some(end)
}

/// Names the rooms right behind the root: one, or several in braces.
fn name_rooms(tokens: &[TokenTree], found: &mut BTreeSet<(usize, String)>) {
    match tokens.first() {
        Some(TokenTree::Ident(name)) => {
            found.insert((name.span().start().line, name.to_string()));
        }
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            for item in inner.split(|token| is_punct(Some(token), ',')) {
                name_rooms(item, found);
            }
        }
        Some(TokenTree::Punct(star)) if star.as_char() == '*' => {
            found.insert((star.span().start().line, "*".to_owned()));
        }
        _ => (),
    }
}

/// Whether `#[cfg(test)]` starts here.
fn is_test_attribute(tokens: &[TokenTree]) -> bool {
    let [first, TokenTree::Group(attribute), ..] = tokens else { return false };
    is_punct(Some(first), '#') && attribute.stream().to_string().replace(' ', "") == "cfg(test)"
}

/// Returns where the item that starts here ends: behind its braces or its semicolon.
fn end_of_item(tokens: &[TokenTree], start: usize) -> usize {
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        other => is_punct(Some(other), ';'),
    };
    let length = tokens[start..].iter().position(is_end);
    length.map_or(tokens.len(), |length| start + length + 1)
}

/// Whether a token is that word.
fn is_word(token: Option<&TokenTree>, word: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if *ident == word)
}

/// Whether a token is that sign.
fn is_punct(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

/// Whether `::` stands here.
fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')
}

/// Whether `::` stands before, so that this is the middle of a path.
fn follows_colons(tokens: &[TokenTree], at: usize) -> bool {
    at >= 2 && is_colons(tokens, at - 2)
}

/// Finds every source file below a directory.
fn source_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(source_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// Checks a synthetic file and returns the texts of what was found.
fn texts(file: &str, source: &str) -> Vec<String> {
    check(Path::new(file), source).into_iter().map(|violation| violation.text).collect()
}

#[test]
fn no_room_uses_what_it_may_not() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    let files = source_files(&root);
    assert!(files.len() >= 3, "the sources of tf are in {}", root.display());
    let found: Vec<Violation> = files
        .iter()
        .flat_map(|file| {
            check(file.strip_prefix(&root).unwrap(), &std::fs::read_to_string(file).unwrap())
        })
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_forbidden_import_is_found_in_every_spelling() {
    for source in [
        "use crate::store::Store;",
        "use crate::{env, store::{Store, StateDir}};",
        "pub(crate) use crate::{\n    store,\n};",
        "fn f() { let _ = crate::store::open(); }",
        "fn f() { println!(\"{}\", crate::store::NAME); }",
        "use super::super::store;",
        "mod inner { use super::super::super::store; }",
        "#[cfg(test)] mod tests { use crate::ui; }\nuse crate::store;",
    ] {
        assert_eq!(texts("proxy/real.rs", source), ["`proxy` may not use `store`"], "{source}");
    }
}

#[test]
fn what_is_allowed_or_is_no_import_is_let_through() {
    let source = "
        //! Speaks of crate::store and says \"use crate::ui\".
        use std::path::Path;
        use crate::{env, sys::exec};
        use super::argv::Argv;
        /// Not [`crate::ops`].
        fn f() -> &'static str { \"crate::ui::Ui\" }
        #[cfg(test)]
        mod tests { use crate::store::Store; }
        #[cfg(test)]
        use crate::terraform::Terraform;
    ";
    assert_eq!(texts("proxy/real.rs", source), [""; 0]);
}

#[test]
fn the_root_of_a_room_has_one_step_less_to_the_root_of_the_house() {
    assert_eq!(texts("proxy/mod.rs", "use super::store;"), ["`proxy` may not use `store`"]);
    assert_eq!(texts("config.rs", "use super::ui;"), ["`config` may not use `ui`"]);
    assert_eq!(texts("proxy/real.rs", "use super::store;"), [""; 0]);
}

#[test]
fn the_switchboard_is_held_to_its_row_without_saying_crate() {
    let source =
        "mod store; mod cli; mod proxy; fn f() { proxy::route(); store::open(); cli::run() }";
    assert_eq!(texts("lib.rs", source), ["`lib` may not use `store`"]);
}

#[test]
fn a_glob_import_of_the_house_is_found() {
    assert_eq!(texts("ops/mod.rs", "use crate::*;"), ["`ops` may not use `*`"]);
}

#[test]
fn a_file_in_an_unknown_room_is_found() {
    assert_eq!(texts("helpers/mod.rs", ""), ["`helpers` is no room of the table"]);
    assert_eq!(texts("util.rs", ""), ["`util` is no room of the table"]);
}

#[test]
fn a_violation_names_its_line() {
    let found = check(Path::new("store/mod.rs"), "\n\nuse crate::terraform::Terraform;\n");
    assert_eq!(found.iter().map(|violation| violation.line).collect::<Vec<_>>(), [3]);
}
