//! Reads HCL: which blocks and attributes there are, and what their expressions mention.
//!
//! A lexer with a stack of its own, not a parser: what is wrong in one place is lost, and nothing else
//! (docs/decisions/0019). Every loop goes forward, nothing recurses, and the deepest nesting is bounded.
//!
//! What is easy to get wrong: which text is text. A call inside a string or a comment is none, one inside
//! `${…}` of a string or a heredoc is one, and `$${` is text again; see `template.rs`.

mod template;

use super::tree::{Builder, Tree};

/// How deep brackets, strings and blocks may nest; what stands deeper, and behind it, is not read.
const MAX_DEPTH: usize = 10_000;

/// What would close an expression that ends with the text.
const END: u8 = b'\0';

/// The blocks that stand at the top of a file. One at the start of a line is where reading goes on
/// after a bracket that was never closed.
const TOP: [&str; 13] = [
    "check",
    "data",
    "ephemeral",
    "import",
    "locals",
    "module",
    "moved",
    "output",
    "provider",
    "removed",
    "resource",
    "terraform",
    "variable",
];

/// Reads a file.
pub(super) fn read(text: &str) -> Tree {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::new(text, Builder::default());
    reader.run();
    let line = reader.line;
    reader.tree.finish(line)
}

/// Reads a template that is no part of a file of HCL, such as a string of JSON.
pub(super) fn read_template(text: &str, tree: Builder) -> Builder {
    let mut reader = Reader::new(text, tree);
    reader.frames.push(Frame::Template);
    reader.run();
    reader.tree
}

/// Reads an expression that is no part of a file of HCL.
pub(super) fn read_expression(text: &str, tree: Builder) -> Builder {
    let mut reader = Reader::new(text, tree);
    reader.frames.push(Frame::Bracket { closer: END, chain: None });
    reader.run();
    reader.tree
}

/// What we are inside of. The top of a file is no frame.
#[derive(Clone, Copy)]
enum Frame {
    /// The braces of a block.
    Body,
    /// The braces of a literal object that is an attribute's value.
    Object,
    /// An attribute's value.
    Value,
    /// Any other bracket, until its closing byte; and the reference that it stands behind.
    Bracket {
        /// The byte that ends it.
        closer: u8,
        /// The reference that goes on behind it.
        chain: Option<usize>,
    },
    /// A string.
    Quoted {
        /// The offset of its first byte.
        start: usize,
        /// Whether nothing in it is computed.
        is_plain: bool,
    },
    /// A heredoc.
    Heredoc {
        /// The offset of its marker.
        start: usize,
        /// The marker's length in bytes.
        length: usize,
    },
    /// A template that ends with the text.
    Template,
}

/// What stands before a `=` or a `{`.
#[derive(Default)]
struct Head {
    /// Its words and plain strings.
    words: Vec<String>,
    /// Whether something in it is computed.
    is_computed: bool,
    /// The line of the first word.
    line: usize,
}

/// The state of reading.
struct Reader<'a> {
    /// The text.
    text: &'a str,
    /// Its next byte.
    at: usize,
    /// The line of that byte, from 1.
    line: usize,
    /// What we are inside of, from the outside in.
    frames: Vec<Frame>,
    /// The head of what comes next in a body or an object.
    head: Head,
    /// The reference that a `.` or a `[` would go on with.
    chain: Option<usize>,
    /// What was found.
    tree: Builder,
}

impl<'a> Reader<'a> {
    /// Starts before the first byte.
    fn new(text: &'a str, tree: Builder) -> Self {
        let (frames, head) = (Vec::new(), Head::default());
        Self { text, at: 0, line: 1, frames, head, chain: None, tree }
    }

    /// Reads to the end, or to where it nests too deep.
    fn run(&mut self) {
        while self.at < self.text.len() && self.frames.len() < MAX_DEPTH {
            let before = (self.at, self.frames.len());
            match self.frames.last() {
                Some(Frame::Quoted { start, is_plain }) => self.quoted(*start, *is_plain),
                Some(Frame::Heredoc { start, length }) => self.heredoc(*start, *length),
                Some(Frame::Template) => self.template(b""),
                None | Some(Frame::Body | Frame::Object | Frame::Value | Frame::Bracket { .. }) => {
                    self.code();
                }
            }
            if before == (self.at, self.frames.len()) {
                // No step does nothing; were there one, it would do nothing for ever.
                self.skip(1);
            }
        }
    }

    /// The byte at a distance from the next one.
    fn peek(&self, distance: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at.saturating_add(distance)).copied()
    }

    /// Goes on by some bytes.
    fn skip(&mut self, count: usize) {
        self.at = self.at.saturating_add(count);
    }

    /// Goes on as long as bytes are of a kind; gives what was passed.
    fn skip_while(&mut self, is_of_kind: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.bytes().position(|byte| !is_of_kind(byte)).unwrap_or(rest.len());
        self.skip(length);
        rest.get(..length).unwrap_or_default()
    }

    /// Whether names here are those of attributes and blocks, not parts of an expression.
    fn is_head(&self) -> bool {
        matches!(self.frames.last(), None | Some(Frame::Body | Frame::Object))
    }

    /// One token outside of strings.
    fn code(&mut self) {
        let Some(byte) = self.peek(0) else { return };
        match (byte, self.peek(1)) {
            (b' ' | b'\t' | b'\r', _) => self.skip(1),
            (b'\n', _) => self.newline(),
            (b'#', _) | (b'/', Some(b'/')) => drop(self.skip_while(|byte| byte != b'\n')),
            (b'/', Some(b'*')) => self.comment(),
            (b'"', _) => {
                self.skip(1);
                self.frames.push(Frame::Quoted { start: self.at, is_plain: true });
            }
            (b'<', Some(b'<')) => self.heredoc_head(),
            (b'(' | b'[' | b'{', _) => self.open_bracket(byte),
            (b')' | b']' | b'}', _) => self.close_bracket(byte),
            (b'.', _) => self.dot(),
            (b'=', Some(b'=' | b'>')) | (b':', Some(b':')) => self.operator(2),
            (b'=', _) => self.assign(),
            (b':', _) if matches!(self.frames.last(), Some(Frame::Object)) => self.assign(),
            (b',', _) => self.comma(),
            (b'0'..=b'9', _) => {
                self.operator(0);
                self.skip_while(|byte| byte.is_ascii_alphanumeric());
            }
            // A name may hold a `-`, but not begin with one.
            _ if is_name(byte) && byte != b'-' => self.word(),
            _ => self.operator(1),
        }
    }

    /// Passes what belongs to no name: a reference ends here, and a head is no plain one.
    fn operator(&mut self, length: usize) {
        self.skip(length);
        self.chain = None;
        self.head.is_computed |= self.is_head();
    }

    /// A comment between `/*` and `*/`.
    fn comment(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let inner = rest.get(2..).unwrap_or_default();
        let length = inner.find("*/").map_or(rest.len(), |length| length.saturating_add(4));
        let passed = rest.get(..length).unwrap_or_default();
        self.line = self.line.saturating_add(count_lines(passed));
        self.skip(length);
    }

    /// The end of a line, which outside of brackets ends a value.
    fn newline(&mut self) {
        if matches!(self.frames.last(), Some(Frame::Value)) {
            self.leave();
        }
        self.skip(1);
        self.line = self.line.saturating_add(1);
        self.chain = None;
        if self.is_head() {
            self.head = Head::default();
        }
        if !self.frames.is_empty() && self.is_at_top_block() {
            // Whatever is open was never closed: a line that begins so is no part of an expression.
            let line = self.line;
            self.line = line.saturating_sub(1);
            while !self.frames.is_empty() {
                self.leave();
            }
            self.line = line;
        }
    }

    /// Whether the line that starts here starts with the head of a block of the top. A `data` block may stand
    /// in a `check` block.
    fn is_at_top_block(&self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(|first: char| first.is_ascii_lowercase()) {
            return false;
        }
        let length = rest.bytes().take_while(|byte| is_name(*byte)).count();
        let (word, rest) = rest.split_at_checked(length).unwrap_or_default();
        if !TOP.contains(&word) || (word == "data" && self.tree.name(0) == Some("check")) {
            return false;
        }
        let mut labels = rest.split('\n').next().unwrap_or_default().trim_start();
        while let Some((_, behind)) = labels.strip_prefix('"').and_then(|text| text.split_once('"'))
        {
            labels = behind.trim_start();
        }
        labels.starts_with('{')
    }

    /// Leaves the innermost frame, and ends its node.
    fn leave(&mut self) {
        match self.frames.pop() {
            Some(Frame::Body | Frame::Value) => self.tree.close(self.line),
            None
            | Some(
                Frame::Object
                | Frame::Bracket { .. }
                | Frame::Quoted { .. }
                | Frame::Heredoc { .. }
                | Frame::Template,
            ) => (),
        }
        self.head = Head::default();
        self.chain = None;
    }

    /// An opening bracket.
    fn open_bracket(&mut self, byte: u8) {
        self.skip(1);
        let closer = match byte {
            b'(' => b')',
            b'[' => b']',
            _ => b'}',
        };
        let is_block = matches!(self.frames.last(), None | Some(Frame::Body));
        if byte == b'{' && is_block && !self.head.words.is_empty() {
            let head = std::mem::take(&mut self.head);
            let mut words = head.words.into_iter();
            self.tree.open(words.next().unwrap_or_default(), words.collect(), head.line);
            self.frames.push(Frame::Body);
            return;
        }
        self.head.is_computed |= self.is_head();
        let chain = self.chain.take().filter(|_| byte == b'[');
        self.frames.push(Frame::Bracket { closer, chain });
    }

    /// A closing bracket. One that closes nothing is passed over; a brace also closes what was left open
    /// inside.
    fn close_bracket(&mut self, byte: u8) {
        self.skip(1);
        loop {
            match self.frames.last() {
                Some(Frame::Bracket { closer, chain }) if *closer == byte => {
                    self.chain = *chain;
                    self.frames.pop();
                    return;
                }
                Some(Frame::Value) if byte == b'}' => self.leave(),
                Some(Frame::Bracket { closer, .. }) if byte == b'}' && *closer != END => {
                    self.frames.pop();
                }
                Some(Frame::Body) if byte == b'}' => return self.leave(),
                Some(Frame::Object) if byte == b'}' => {
                    self.leave();
                    return self.behind_object();
                }
                None
                | Some(
                    Frame::Body
                    | Frame::Object
                    | Frame::Value
                    | Frame::Bracket { .. }
                    | Frame::Quoted { .. }
                    | Frame::Heredoc { .. }
                    | Frame::Template,
                ) => return self.operator(0),
            }
        }
    }

    /// Where a literal object is only the beginning of the value, as in `{…}[x]`, its members say nothing.
    fn behind_object(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let next = rest.trim_start_matches([' ', '\t', '\r']).bytes().next();
        let is_whole = matches!(next, None | Some(b'\n' | b',' | b'}' | b'#' | b'/'));
        self.tree.set_computed(!is_whole);
    }

    /// A `=`, or in an object a `:`, that ends a head.
    fn assign(&mut self) {
        if !self.is_head() || (self.head.words.is_empty() && !self.head.is_computed) {
            return self.operator(1);
        }
        self.skip(1);
        let head = std::mem::take(&mut self.head);
        let mut words = head.words;
        let name = words.pop().filter(|_| words.is_empty() && !head.is_computed);
        if name.is_none() && matches!(self.frames.last(), Some(Frame::Object)) {
            self.tree.set_computed(true);
        }
        let line = if head.line == 0 { self.line } else { head.line };
        self.tree.open(name.unwrap_or_default(), Vec::new(), line);
        self.frames.push(Frame::Value);
        self.skip_while(|byte| matches!(byte, b' ' | b'\t'));
        if self.peek(0) == Some(b'{') && !self.is_for() {
            self.skip(1);
            self.frames.push(Frame::Object);
            return;
        }
        self.tree.set_computed(true);
    }

    /// Whether the brace here begins a `for` expression.
    fn is_for(&self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let inside = rest.strip_prefix('{').unwrap_or(rest).trim_start();
        inside.strip_prefix("for").is_some_and(|rest| rest.starts_with([' ', '\t', '\r', '\n']))
    }

    /// A comma, which ends a member of an object.
    fn comma(&mut self) {
        self.skip(1);
        self.chain = None;
        let mut inner = self.frames.iter().rev();
        if let (Some(Frame::Value), Some(Frame::Object)) = (inner.next(), inner.next()) {
            self.leave();
        }
        if self.is_head() {
            self.head = Head::default();
        }
    }

    /// A name: part of a head, a function, or the start of a reference.
    fn word(&mut self) {
        let word = self.skip_while(is_name);
        if self.is_head() {
            return self.add_to_head(word.to_owned());
        }
        self.chain = None;
        let (mut name, mut is_builtin) = (word, true);
        while self.text.get(self.at..).is_some_and(|rest| rest.starts_with("::")) {
            // `core::timestamp` is the builtin; `provider::…` is a provider's.
            is_builtin &= name == "core";
            self.skip(2);
            name = self.skip_while(is_name);
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        match rest.trim_start_matches([' ', '\t']).bytes().next() {
            Some(b'(') if is_builtin => self.tree.call(name),
            Some(b'.') => self.chain = Some(self.tree.refer(name)),
            _ => (),
        }
    }

    /// Adds a word or a string to the head.
    fn add_to_head(&mut self, word: String) {
        if self.head.words.is_empty() {
            self.head.line = self.line;
        }
        self.head.words.push(word);
    }

    /// A dot: an attribute, an index in the old manner, or a splat.
    fn dot(&mut self) {
        let Some(chain) = self.chain else { return self.operator(1) };
        self.skip(1);
        self.skip_while(|byte| matches!(byte, b' ' | b'\t'));
        match self.peek(0) {
            Some(b'*') => self.skip(1),
            Some(b'0'..=b'9') => drop(self.skip_while(|byte| byte.is_ascii_digit())),
            Some(byte) if is_name(byte) => {
                let name = self.skip_while(is_name);
                self.tree.extend(chain, name);
            }
            None | Some(_) => self.chain = None,
        }
    }
}

/// Whether a byte is part of a name; every byte outside of ASCII is.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | 0x80..)
}

/// How many lines end in a text.
fn count_lines(text: &str) -> usize {
    text.matches('\n').count()
}
