//! Our block in a start file: where it begins and ends, putting it in, taking it out.
//!
//! Everything is bytes, and every byte that is not ours stays as it is. The first line of a block says what
//! else was done for it: a line above that had no end got one, or the file was new. So taking it out leaves
//! what was there before, to the byte.

/// The beginning of the first line of a block.
const BEGIN: &[u8] = b"# >>> tf-shim";
/// The last line of a block.
const END: &[u8] = b"# <<< tf-shim <<<\n";

/// What was done for a block besides putting it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Nothing.
    Plain,
    /// The line above got its end.
    Joined,
    /// The file is new.
    New,
}

impl Origin {
    fn first_line(self) -> &'static [u8] {
        match self {
            Self::Plain => b"# >>> tf-shim >>>\n",
            Self::Joined => b"# >>> tf-shim, and an end for the line above >>>\n",
            Self::New => b"# >>> tf-shim, in a new file >>>\n",
        }
    }

    fn of_line(line: &[u8]) -> Self {
        [Self::Joined, Self::New]
            .into_iter()
            .find(|origin| origin.first_line() == line)
            .unwrap_or(Self::Plain)
    }
}

/// There is a beginning without an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Endless;

/// Where a block is.
struct Place {
    start: usize,
    end: usize,
    origin: Origin,
}

/// A file without its block.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Without {
    /// There was none.
    Nothing,
    /// This is left.
    Rest(Vec<u8>),
    /// Nothing is left, and we had made the file.
    Remove,
}

/// The file with a block of these lines in it, at its end or where an older one is. `old` is none where there
/// is no file.
///
/// # Errors
/// There is a beginning of ours and no end.
pub(super) fn put(old: Option<&[u8]>, lines: &[u8]) -> Result<Vec<u8>, Endless> {
    let whole = |origin: Origin| [origin.first_line(), lines, END].concat();
    let Some(old) = old else { return Ok(whole(Origin::New)) };
    if let Some(Place { start, end, origin }) = find(old)? {
        let (before, after) = (old.get(..start), old.get(end..).unwrap_or_default());
        // Twice is once too often: what was pasted or merged below the first goes.
        let after = match take_out(after)? {
            Without::Nothing => after.to_vec(),
            Without::Rest(rest) => rest,
            Without::Remove => Vec::new(),
        };
        return Ok([before.unwrap_or_default(), &whole(origin), &after].concat());
    }
    match old.last() {
        None | Some(b'\n') => Ok([old, &whole(Origin::Plain)].concat()),
        Some(_) => Ok([old, b"\n", &whole(Origin::Joined)].concat()),
    }
}

/// The file without its blocks: there may be several, where start files were merged.
///
/// # Errors
/// There is a beginning of ours and no end.
pub(super) fn take_out(old: &[u8]) -> Result<Without, Endless> {
    let mut without = take_out_one(old)?;
    while let Without::Rest(rest) = &without {
        match take_out_one(rest)? {
            Without::Nothing => break,
            next => without = next,
        }
    }
    Ok(without)
}

/// What stands in the blocks, line by line.
pub(super) fn lines_in(text: &[u8]) -> Vec<&[u8]> {
    let mut rest = text;
    let mut lines = Vec::new();
    while let Ok(Some(Place { start, end, .. })) = find(rest) {
        let block = rest.get(start..end).unwrap_or_default();
        lines.extend(block.split(|byte| *byte == b'\n'));
        rest = rest.get(end..).unwrap_or_default();
    }
    lines
}

fn take_out_one(old: &[u8]) -> Result<Without, Endless> {
    let Some(Place { start, end, origin }) = find(old)? else { return Ok(Without::Nothing) };
    let after = old.get(end..).unwrap_or_default();
    // Lines that came after the block need the end of the line above it.
    let gives_back = origin == Origin::Joined && after.is_empty();
    let before = old.get(..start.saturating_sub(usize::from(gives_back))).unwrap_or_default();
    if origin == Origin::New && before.is_empty() && after.is_empty() {
        return Ok(Without::Remove);
    }
    Ok(Without::Rest([before, after].concat()))
}

fn find(text: &[u8]) -> Result<Option<Place>, Endless> {
    let mut at = 0;
    let mut begun = None;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let next = at + line.len();
        if line.starts_with(BEGIN) {
            begun = Some((at, Origin::of_line(line)));
        } else if let Some((start, origin)) =
            begun.filter(|_| line.trim_ascii_end() == END.trim_ascii_end())
        {
            return Ok(Some(Place { start, end: next, origin }));
        }
        at = next;
    }
    if begun.is_some() { Err(Endless) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &[u8] = b"export PATH=x\n";

    #[test]
    fn what_was_there_comes_back_to_the_byte() {
        for old in [&b""[..], b"a\n", b"a", b"a\r\nb\r\n", b"a\r\nb", b"\xff\xfe\n\0", b"\n\n"] {
            let with = put(Some(old), LINES).unwrap();
            assert!(with.starts_with(old) && with.len() > old.len());
            assert_eq!(put(Some(&with), LINES).unwrap(), with, "twice is once");
            assert_eq!(take_out(&with).unwrap(), Without::Rest(old.to_vec()));
            assert_eq!(take_out(old).unwrap(), Without::Nothing);
        }
        let new = put(None, LINES).unwrap();
        assert_eq!(take_out(&new).unwrap(), Without::Remove);
    }

    #[test]
    fn what_came_after_the_block_stays_where_it_is() {
        for (old, rest) in
            [(&b"a\n"[..], &b"a\nlater\n"[..]), (b"a", b"a\nlater\n"), (b"", b"later\n")]
        {
            let mut with = put(Some(old), LINES).unwrap();
            with.extend(b"later\n");
            assert_eq!(take_out(&with).unwrap(), Without::Rest(rest.to_vec()));
            let newer = put(Some(&with), b"other\n").unwrap();
            assert!(newer.ends_with(b"later\n"), "an older block is replaced where it is");
            assert_eq!(take_out(&newer).unwrap(), Without::Rest(rest.to_vec()));
        }
        let mut new = put(None, LINES).unwrap();
        new.extend(b"later\n");
        assert_eq!(take_out(&new).unwrap(), Without::Rest(b"later\n".to_vec()));
    }

    #[test]
    fn blocks_that_are_there_twice_all_go() {
        let once = put(Some(b"a\n"), LINES).unwrap();
        let twice = [&once, &b"b\n"[..], &put(Some(b""), LINES).unwrap(), b"c\n"].concat();
        assert_eq!(take_out(&twice).unwrap(), Without::Rest(b"a\nb\nc\n".to_vec()));
        assert_eq!(put(Some(&twice), LINES).unwrap(), [&once, &b"b\nc\n"[..]].concat());
        assert_eq!(lines_in(&twice).iter().filter(|line| **line == b"export PATH=x").count(), 2);
    }

    #[test]
    fn a_block_without_an_end_is_left_alone() {
        let half = b"a\n# >>> tf-shim >>>\nexport\n";
        assert_eq!(put(Some(half), LINES), Err(Endless));
        assert_eq!(take_out(half), Err(Endless));
    }
}
