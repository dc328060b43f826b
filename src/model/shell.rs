//! Shells: which ones we know, and how a path is written so that they read it back.

/// A shell that we complete for, and whose start file we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shell {
    /// GNU bash, from 3.2.
    Bash,
    /// The Z shell.
    Zsh,
    /// fish.
    Fish,
}

impl Shell {
    /// Its name.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }

    /// The shell of that name.
    pub(crate) fn of_word(word: &[u8]) -> Option<Self> {
        [Self::Bash, Self::Zsh, Self::Fish]
            .into_iter()
            .find(|shell| shell.word().as_bytes() == word)
    }
}

/// Writes bytes as one word in single quotes. None: any shell that reads as POSIX says.
pub(crate) fn quoted(bytes: &[u8], shell: Option<Shell>) -> Vec<u8> {
    let mut word = vec![b'\''];
    for byte in bytes {
        match (shell, byte) {
            (Some(Shell::Fish), b'\'' | b'\\') => word.extend([b'\\', *byte]),
            (Some(Shell::Bash | Shell::Zsh) | None, b'\'') => word.extend(b"'\\''"),
            (Some(_) | None, byte) => word.push(*byte),
        }
    }
    word.push(b'\'');
    word
}

/// Writes a path as one word that begins with `$HOME` where it lies there, so that a start file can be
/// shared between machines; plainly where nothing has to be quoted.
pub(crate) fn path_word(path: &[u8], home: Option<&[u8]>, shell: Option<Shell>) -> Vec<u8> {
    let below = |home: &[u8]| path.strip_prefix(home).filter(|rest| rest.starts_with(b"/"));
    if let Some(rest) = home.filter(|home| home.len() > 1).and_then(below) {
        let escaped = |byte: &u8| match byte {
            b'"' | b'\\' | b'$' | b'`' if shell != Some(Shell::Fish) || *byte != b'`' => {
                vec![b'\\', *byte]
            }
            byte => vec![*byte],
        };
        let rest: Vec<u8> = rest.iter().flat_map(escaped).collect();
        return [b"\"$HOME".as_slice(), &rest, b"\""].concat();
    }
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+".contains(byte);
    if path.iter().all(is_plain) { path.to_vec() } else { quoted(path, shell) }
}

/// Reads back the word that [`path_word`] wrote at the beginning of `text`; none where there is none, or its
/// quote has no end.
pub(crate) fn path_of_word(
    text: &[u8],
    home: Option<&[u8]>,
    shell: Option<Shell>,
) -> Option<Vec<u8>> {
    let (mut path, in_home) = (Vec::new(), text.strip_prefix(b"\"$HOME/".as_slice()));
    if in_home.is_some() {
        path.extend([home?, b"/"].concat());
    }
    let is_fish = shell == Some(Shell::Fish);
    let mut quote = if in_home.is_some() { Some(b'"') } else { None };
    let mut bytes = in_home.unwrap_or(text).iter();
    while let Some(byte) = bytes.next() {
        match (quote, *byte) {
            (Some(open), close) if open == close => quote = None,
            (None, open @ (b'\'' | b'"')) => quote = Some(open),
            (None, b':' | b';' | b' ' | b'\n') => break,
            (Some(b'\''), b'\\') if !is_fish => path.push(b'\\'),
            (_, b'\\') => path.push(*bytes.next()?),
            (_, byte) => path.push(byte),
        }
    }
    (quote.is_none() && !path.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_each_shell_reads_them() {
        assert_eq!(quoted(b"a'b\\c\xff", None), b"'a'\\''b\\c\xff'");
        assert_eq!(quoted(b"a'b\\c\xff", Some(Shell::Fish)), b"'a\\'b\\\\c\xff'");
    }

    #[test]
    fn a_path_in_the_home_is_told_from_there() {
        let home = Some(b"/home/ana".as_slice());
        assert_eq!(path_word(b"/home/ana/bin", home, None), b"\"$HOME/bin\"");
        assert_eq!(path_word(b"/home/ana/a$b`c", home, None), b"\"$HOME/a\\$b\\`c\"");
        assert_eq!(path_word(b"/home/ana/a`", home, Some(Shell::Fish)), b"\"$HOME/a`\"");
        assert_eq!(path_word(b"/home/anabel/bin", home, None), b"/home/anabel/bin");
        assert_eq!(path_word(b"/opt/a b", home, None), b"'/opt/a b'");
        assert_eq!(path_word(b"/opt/x", Some(b"/"), None), b"/opt/x");
    }

    #[test]
    fn a_word_is_read_back() {
        let home = Some(b"/home/ana".as_slice());
        for path in [&b"/home/ana/a b"[..], b"/home/ana/a$`\"\\'", b"/opt/x", b"/opt/a 'b\\'\xff"] {
            for shell in [None, Some(Shell::Bash), Some(Shell::Fish)] {
                for after in [&b""[..], b":*) ;;", b"; or", b" $PATH"] {
                    let text = [&path_word(path, home, shell), after].concat();
                    assert_eq!(path_of_word(&text, home, shell).as_deref(), Some(path));
                }
            }
        }
        assert_eq!(path_of_word(b"'/opt", home, None), None);
    }
}
