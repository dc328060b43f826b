//! A pull tokenizer for JSON that accepts exactly what Go's `encoding/json` accepts.
//!
//! Terraform reads states with that package, so whether bytes *are* a state is decided by its rules:
//! no byte order mark, no control characters in strings, no trailing garbage, at most 10,000 levels
//! (`maxNestingDepth` in its `scanner.go`, Go 1.24), and UTF-8 that is not checked. `serde_json`
//! differs in the last two, and builds values, which a header scan of 100 MB cannot afford.
//!
//! Nothing is allocated per token and nothing recurses. What is easy to get wrong: a token borrows the
//! raw text, so a string still has its quotes and escapes; see `json_text.rs`.

use std::ops::Range;

/// How deep arrays and objects may nest, as in Go.
pub(crate) const MAX_DEPTH: usize = 10_000;

/// One bit per level: set where the level is an object.
const WORDS: usize = MAX_DEPTH.div_ceil(64);

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// `{`
    ObjectStart,
    /// `}`
    ObjectEnd,
    /// `[`
    ArrayStart,
    /// `]`
    ArrayEnd,
    /// The name of a member, quotes included; its colon has been read.
    Key,
    /// A string, quotes included.
    String,
    /// A number.
    Number,
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
}

/// One token and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// What it is.
    pub(crate) kind: TokenKind,
    /// Offset of its first byte.
    pub(crate) start: usize,
    /// Its bytes, exactly as they stand there.
    pub(crate) text: &'a [u8],
}

impl Token<'_> {
    /// The bytes it covers.
    pub(crate) fn span(&self) -> Range<usize> {
        self.start..self.start.saturating_add(self.text.len())
    }

    /// Whether a value begins here that ends with a later token.
    pub(crate) fn opens(&self) -> bool {
        matches!(self.kind, TokenKind::ObjectStart | TokenKind::ArrayStart)
    }

    /// Whether this ends an array or an object.
    pub(crate) fn closes(&self) -> bool {
        matches!(self.kind, TokenKind::ObjectEnd | TokenKind::ArrayEnd)
    }
}

/// Bytes that are not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub(crate) struct Fault {
    /// What is wrong; never quotes the bytes.
    pub(crate) what: &'static str,
    /// Offset of the first byte that is wrong.
    pub(crate) at: usize,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    FirstValue,
    Key,
    FirstKey,
    CommaOrClose,
    Nothing,
}

/// Reads one JSON document, token by token.
pub(crate) struct Tokenizer<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    objects: [u64; WORDS],
    in_object: bool,
    expect: Expect,
}

impl<'a> Tokenizer<'a> {
    /// Starts before the first byte.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            depth: 0,
            objects: [0; WORDS],
            in_object: false,
            expect: Expect::Value,
        }
    }

    /// How many arrays and objects are open.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// Reads the next token; `None` once the document and the blanks after it have been read.
    ///
    /// # Errors
    /// The bytes are not JSON. Whoever stops before `None` has not seen whether they are.
    #[inline]
    pub(crate) fn next_token(&mut self) -> Result<Option<Token<'a>>, Fault> {
        self.skip_blanks();
        if self.expect == Expect::CommaOrClose && self.peek() == Some(b',') {
            self.step();
            self.expect = if self.in_object { Expect::Key } else { Expect::Value };
            self.skip_blanks();
        }
        let Some(byte) = self.peek() else {
            return match self.expect {
                Expect::Nothing => Ok(None),
                _ => Err(self.fault("unexpected end")),
            };
        };
        let token = match (self.expect, byte) {
            (Expect::Key | Expect::FirstKey, b'"') => self.key()?,
            (Expect::FirstKey, b'}') => self.close(TokenKind::ObjectEnd),
            (Expect::FirstValue, b']') => self.close(TokenKind::ArrayEnd),
            (Expect::Value | Expect::FirstValue, _) => self.value(byte)?,
            (Expect::CommaOrClose, b'}') if self.in_object => self.close(TokenKind::ObjectEnd),
            (Expect::CommaOrClose, b']') if !self.in_object => self.close(TokenKind::ArrayEnd),
            (Expect::Nothing, _) => return Err(self.fault("something after the end")),
            (Expect::Key | Expect::FirstKey | Expect::CommaOrClose, _) => {
                return Err(self.fault("unexpected character"));
            }
        };
        Ok(Some(token))
    }

    /// Like [`Self::next_token`] inside a value, where the document cannot be over.
    ///
    /// # Errors
    /// The bytes are not JSON, or the document is over after all.
    #[inline]
    pub(crate) fn expect_token(&mut self) -> Result<Token<'a>, Fault> {
        self.next_token()?.ok_or(Fault { what: "unexpected end", at: self.at })
    }

    /// Reads to the end of the value that `first` begins, and shows each of its tokens.
    ///
    /// # Errors
    /// The bytes are not JSON.
    #[inline]
    pub(crate) fn finish_value(
        &mut self,
        first: Token<'a>,
        mut visit: impl FnMut(&Token<'a>),
    ) -> Result<(), Fault> {
        visit(&first);
        if !first.opens() {
            return Ok(());
        }
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            visit(&self.expect_token()?);
        }
        Ok(())
    }

    fn fault(&self, what: &'static str) -> Fault {
        Fault { what, at: self.at }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    #[inline]
    fn eight(&self) -> Option<u64> {
        let rest = self.bytes.get(self.at..)?;
        rest.first_chunk::<8>().map(|chunk| u64::from_le_bytes(*chunk))
    }

    /// Indentation is a good third of a state, so it is skipped eight bytes at a time.
    #[inline]
    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.step();
            while self.eight() == Some(0x2020_2020_2020_2020) {
                self.at = self.at.saturating_add(8);
            }
        }
    }

    #[inline]
    fn token_from(&self, kind: TokenKind, start: usize) -> Token<'a> {
        Token { kind, start, text: self.bytes.get(start..self.at).unwrap_or_default() }
    }

    #[inline]
    fn after_value(&mut self) {
        self.expect = if self.depth == 0 { Expect::Nothing } else { Expect::CommaOrClose };
    }

    #[inline]
    fn key(&mut self) -> Result<Token<'a>, Fault> {
        let start = self.at;
        self.string()?;
        let token = self.token_from(TokenKind::Key, start);
        self.skip_blanks();
        if self.peek() != Some(b':') {
            return Err(self.fault("missing colon"));
        }
        self.step();
        self.expect = Expect::Value;
        Ok(token)
    }

    #[inline]
    fn value(&mut self, byte: u8) -> Result<Token<'a>, Fault> {
        let start = self.at;
        let kind = match byte {
            b'"' => {
                self.string()?;
                TokenKind::String
            }
            b'{' => return self.open(TokenKind::ObjectStart),
            b'[' => return self.open(TokenKind::ArrayStart),
            b'-' | b'0'..=b'9' => {
                self.number()?;
                TokenKind::Number
            }
            b't' => self.word(b"true", TokenKind::True)?,
            b'f' => self.word(b"false", TokenKind::False)?,
            b'n' => self.word(b"null", TokenKind::Null)?,
            _ => return Err(self.fault("unexpected character")),
        };
        self.after_value();
        Ok(self.token_from(kind, start))
    }

    #[inline]
    fn open(&mut self, kind: TokenKind) -> Result<Token<'a>, Fault> {
        if self.depth >= MAX_DEPTH {
            return Err(self.fault("nesting deeper than 10,000 levels"));
        }
        let start = self.at;
        let is_object = kind == TokenKind::ObjectStart;
        if let Some(word) = self.objects.get_mut(self.depth >> 6) {
            let bit = 1_u64 << (self.depth & 63);
            *word = if is_object { *word | bit } else { *word & !bit };
        }
        self.depth = self.depth.saturating_add(1);
        self.in_object = is_object;
        self.expect = if is_object { Expect::FirstKey } else { Expect::FirstValue };
        self.step();
        Ok(self.token_from(kind, start))
    }

    #[inline]
    fn close(&mut self, kind: TokenKind) -> Token<'a> {
        let start = self.at;
        self.step();
        self.depth = self.depth.saturating_sub(1);
        let outer = self.depth.saturating_sub(1);
        let word = self.objects.get(outer >> 6).copied().unwrap_or_default();
        self.in_object = word >> (outer & 63) & 1 == 1;
        self.after_value();
        self.token_from(kind, start)
    }

    #[inline]
    fn string(&mut self) -> Result<(), Fault> {
        self.step();
        loop {
            while let Some(word) = self.eight() {
                let marks = remarkable(word);
                if marks != 0 {
                    self.at = self.at.saturating_add(marks.trailing_zeros() as usize >> 3);
                    break;
                }
                self.at = self.at.saturating_add(8);
            }
            match self.peek() {
                None => return Err(self.fault("unexpected end")),
                Some(b'"') => {
                    self.step();
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(0..0x20) => return Err(self.fault("control character in a string")),
                Some(_) => self.step(),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        self.step();
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.step();
                Ok(())
            }
            Some(b'u') => {
                self.step();
                for _ in 0..4 {
                    if !self.peek().is_some_and(|b| b.is_ascii_hexdigit()) {
                        return Err(self.fault("malformed escape"));
                    }
                    self.step();
                }
                Ok(())
            }
            None => Err(self.fault("unexpected end")),
            Some(_) => Err(self.fault("malformed escape")),
        }
    }

    fn digits(&mut self) -> Result<(), Fault> {
        if !self.peek().is_some_and(|b| b.is_ascii_digit()) {
            return Err(self.fault("malformed number"));
        }
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.step();
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'-') {
            self.step();
        }
        if self.peek() == Some(b'0') {
            self.step();
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.step();
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.step();
            if let Some(b'+' | b'-') = self.peek() {
                self.step();
            }
            self.digits()?;
        }
        Ok(())
    }

    fn word(&mut self, word: &[u8], kind: TokenKind) -> Result<TokenKind, Fault> {
        let end = self.at.saturating_add(word.len());
        if self.bytes.get(self.at..end) != Some(word) {
            return Err(self.fault("unexpected character"));
        }
        self.at = end;
        Ok(kind)
    }
}

/// Marks the bytes of a word that end a run of plain string content: quote, backslash, control. The
/// lowest mark is exact; higher ones may be false, because the subtraction borrows.
#[inline]
fn remarkable(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let below = |x: u64, n: u8| x.wrapping_sub(ONES.wrapping_mul(u64::from(n))) & !x & HIGH;
    let equal = |byte: u8| below(word ^ ONES.wrapping_mul(u64::from(byte)), 1);
    below(word, 0x20) | equal(b'"') | equal(b'\\')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, prop, proptest};

    use super::{Fault, MAX_DEPTH, TokenKind, Tokenizer};

    fn kinds(bytes: &[u8]) -> Result<Vec<TokenKind>, Fault> {
        let mut tokens = Tokenizer::new(bytes);
        let mut kinds = Vec::new();
        while let Some(token) = tokens.next_token()? {
            kinds.push(token.kind);
        }
        Ok(kinds)
    }

    #[test]
    fn every_kind_of_token_is_seen() {
        let found = kinds(br#" {"a": [1, -0.5e+3, "x", true, false, null, {}, []]} "#).unwrap();
        let expected = {
            use TokenKind::{
                ArrayEnd, ArrayStart, False, Key, Null, Number, ObjectEnd, ObjectStart, String,
                True,
            };
            vec![
                ObjectStart,
                Key,
                ArrayStart,
                Number,
                Number,
                String,
                True,
                False,
                Null,
                ObjectStart,
                ObjectEnd,
                ArrayStart,
                ArrayEnd,
                ArrayEnd,
                ObjectEnd,
            ]
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn what_go_refuses_is_a_fault() {
        let bad: [&[u8]; 27] = [
            b"",
            b" ",
            b"\xef\xbb\xbf{}",
            b"{} x",
            b"{}{}",
            b"[1,]",
            b"[,1]",
            b"{,}",
            b"{\"a\"}",
            b"{\"a\":}",
            b"{\"a\":1,}",
            b"{a:1}",
            b"01",
            b"1.",
            b"-",
            b"1e",
            b"+1",
            b".5",
            b"\"\n\"",
            b"\"\\x\"",
            b"\"\\u12g4\"",
            b"\"abc",
            b"tru",
            b"[1}",
            b"{\"a\":1]",
            b"\0",
            b"nulll",
        ];
        for bytes in bad {
            assert!(kinds(bytes).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_do_not_break_a_string() {
        assert_eq!(kinds(b"[\"\xff\xfe\x80 long enough for a word\"]").unwrap().len(), 3);
    }

    #[test]
    fn depth_ends_where_go_ends() {
        let nested = |depth| [b"[".repeat(depth), b"]".repeat(depth)].concat();
        assert!(kinds(&nested(MAX_DEPTH)).is_ok());
        assert!(kinds(&nested(MAX_DEPTH + 1)).is_err());
    }

    #[test]
    fn levels_keep_their_kind_across_words() {
        let text = format!("{}{}", r#"{"a":["#.repeat(100), "]}".repeat(100));
        assert_eq!(kinds(text.as_bytes()).unwrap().len(), 500);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn agrees_with_serde_json(parts in prop::collection::vec(
            prop::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"a\"", "\"long string here\"", "1", "-2.5e3", "0", " ",
                "\n          ", "true", "null", "\"\\u0041\"", "\"\\", "\"é\"", "\t", "\u{1}",
            ]), 0..12)) {
            let text = parts.concat();
            let ours = kinds(text.as_bytes()).is_ok();
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            assert_eq!(ours, theirs, "{text}");
        }

        #[test]
        fn any_value_is_accepted(words in prop::collection::vec(any::<String>(), 0..8), n in any::<f64>()) {
            let value = serde_json::json!({"list": words, "n": n, "deep": [[{"x": null}]]});
            assert!(kinds(value.to_string().as_bytes()).is_ok());
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = kinds(&bytes);
        }
    }
}
