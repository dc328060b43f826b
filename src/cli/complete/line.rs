//! A command line that is being typed, taken apart as a shell does.
//!
//! Only what stands before the cursor counts. Quotes and backslashes are resolved, nothing is expanded but
//! `~/` at the beginning of a word. What is easy to get wrong: bash replaces less than a word. It breaks
//! words at the characters of `COMP_WORDBREAKS` too, so that of `--color=al` it replaces `al`; what we
//! answer must lack the same beginning.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

/// Characters that readline keeps at the beginning of what it replaces (its `rl_special_prefixes`).
const KEPT_BREAKS: &[u8] = b"@$";

/// A line up to the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    raw: &'a [u8],
    /// The complete words, and where each begins in `raw`.
    words: Vec<(usize, OsString)>,
    /// The word at the cursor, as far as it is there.
    pub(super) current: OsString,
    /// Where it begins in `raw`.
    current_at: usize,
    /// How many bytes of `current` the shell leaves as they are.
    pub(super) stays: usize,
}

impl<'a> Line<'a> {
    /// Takes a line apart. `breaks` are the bytes at which the shell breaks words it replaces.
    pub(super) fn read(raw: &'a OsStr, breaks: &OsStr) -> Self {
        let raw = raw.as_bytes();
        let mut reader = Reader { breaks: breaks.as_bytes(), ..Reader::default() };
        for (at, byte) in raw.iter().enumerate() {
            reader.take(at, *byte);
        }
        let none = Word { start: raw.len(), ..Word::default() };
        let Word { text, stays, start } = reader.word.unwrap_or(none);
        let is_set = |(_, word): &(usize, OsString)| !is_assignment(word);
        let words: Vec<_> = reader.words.into_iter().skip_while(|word| !is_set(word)).collect();
        Self { raw, words, current: expanded(text), current_at: start, stays }
    }

    /// The name that the program is called by; none where that is still being typed.
    pub(super) fn program(&self) -> Option<&OsStr> {
        self.words.first().map(|(_, word)| word.as_os_str())
    }

    /// The complete words after the program.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        self.words.iter().skip(1).map(|(_, word)| word.clone()).collect()
    }

    /// The line as it is.
    pub(super) fn whole(&self) -> &OsStr {
        OsStr::from_bytes(self.raw)
    }

    /// The line as if `program` were called with what follows the first `skipped` arguments.
    pub(super) fn after(&self, program: &str, skipped: usize) -> OsString {
        let next = self.words.get(skipped.saturating_add(1)).map(|(at, _)| *at);
        let rest = self.raw.get(next.unwrap_or(self.current_at)..).unwrap_or_default();
        OsString::from_vec([program.as_bytes(), b" ", rest].concat())
    }
}

/// One word, as far as it has been read.
#[derive(Default)]
struct Word {
    start: usize,
    text: Vec<u8>,
    stays: usize,
}

#[derive(Default)]
struct Reader<'b> {
    breaks: &'b [u8],
    words: Vec<(usize, OsString)>,
    word: Option<Word>,
    quote: Option<u8>,
    is_escaped: bool,
}

impl Reader<'_> {
    fn take(&mut self, at: usize, byte: u8) {
        if std::mem::take(&mut self.is_escaped) {
            return self.word(at).text.push(byte);
        }
        match (self.quote, byte) {
            (None, b' ' | b'\t' | b'\n') => {
                if let Some(word) = self.word.take() {
                    self.words.push((word.start, expanded(word.text)));
                }
            }
            (None | Some(b'"'), b'\\') => {
                self.word(at);
                self.is_escaped = true;
            }
            (None, b'\'' | b'"') => {
                self.quote = Some(byte);
                let breaks = !self.breaks.is_empty();
                let word = self.word(at);
                word.stays = if breaks { word.text.len() } else { 0 };
            }
            (Some(quote), byte) if byte == quote => self.quote = None,
            (None, byte) if self.breaks.contains(&byte) => {
                let word = self.word(at);
                word.text.push(byte);
                let kept = usize::from(KEPT_BREAKS.contains(&byte));
                word.stays = word.text.len().saturating_sub(kept);
            }
            (None | Some(_), byte) => self.word(at).text.push(byte),
        }
    }

    fn word(&mut self, start: usize) -> &mut Word {
        self.word.get_or_insert_with(|| Word { start, ..Word::default() })
    }
}

/// Some shells give `NAME=value` before a command along with it.
fn is_assignment(word: &OsStr) -> bool {
    let mut parts = word.as_bytes().splitn(2, |byte| *byte == b'=');
    let name = parts.next().unwrap_or_default();
    let is_name = name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    is_name && !name.is_empty() && parts.next().is_some()
}

fn expanded(word: Vec<u8>) -> OsString {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    match (word.strip_prefix(b"~/"), home) {
        (Some(rest), Some(home)) => OsString::from_vec([home.as_bytes(), b"/", rest].concat()),
        _ => OsString::from_vec(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What bash has as `COMP_WORDBREAKS` where nobody changed it.
    const BASH: &str = " \t\n\"'@><=;|&(:";

    fn read<'a>(line: &'a str, breaks: &str) -> (Vec<String>, &'a str, String, usize) {
        let read = Line::read(OsStr::new(line), OsStr::new(breaks));
        let text = |word: &OsStr| word.to_str().unwrap().to_owned();
        let words = read.arguments().iter().map(|word| text(word)).collect();
        (words, line, text(&read.current), read.stays)
    }

    #[test]
    fn words_are_those_of_a_shell() {
        for (line, words, current) in [
            ("tf", &[][..], "tf"),
            ("tf ", &[], ""),
            ("tf shim  list -", &["shim", "list"], "-"),
            ("tf '-chdir=my dir' \"a\\\"b\" c\\ d e", &["-chdir=my dir", "a\"b", "c d"], "e"),
            ("A=1 B= tf shim ", &["shim"], ""),
            ("tf 'open quote", &[], "open quote"),
            ("tf '' x", &[""], "x"),
        ] {
            let found = read(line, "");
            assert_eq!(
                (found.0.as_slice(), found.2.as_str(), found.3),
                (words_of(words).as_slice(), current, 0)
            );
        }
    }

    fn words_of(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn what_bash_leaves_as_it_is_is_known() {
        for (line, stays) in [
            ("tf shim --color=al", 8),
            ("tf shim --color=", 8),
            ("tf shim show before:de", 7),
            ("tf shim show @", 0),
            ("tf shim show @-", 0),
            ("tf shim show x@", 1),
            ("tf shim show \"@-", 0),
            ("tf shim show a\\=b", 0),
            ("tf shim list", 0),
        ] {
            assert_eq!(read(line, BASH).3, stays, "{line}");
        }
    }

    #[test]
    fn a_part_of_the_line_can_be_asked_about() {
        let line = Line::read(OsStr::new("tf -chdir=x shim which -- 'a b' ap"), OsStr::new(""));
        assert_eq!(line.after("terraform", 4), "terraform 'a b' ap");
        let line = Line::read(OsStr::new("tf shim which -- "), OsStr::new(""));
        assert_eq!(line.after("terraform", 3), "terraform ");
    }
}
