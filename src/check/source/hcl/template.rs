//! Strings and heredocs: which part of them is text, and where an expression begins.

use crate::model::address::unquoted;

use super::{Frame, Reader, is_name};

impl Reader<'_> {
    /// `<<EOT` or `<<-EOT`, and the line's end.
    pub(super) fn heredoc_head(&mut self) {
        let before = self.at;
        self.skip(2);
        if self.peek(0) == Some(b'-') {
            self.skip(1);
        }
        let start = self.at;
        let marker = self.skip_while(is_name);
        self.skip_while(|byte| byte == b'\r');
        if marker.is_empty() || self.peek(0) != Some(b'\n') {
            self.at = before;
            return self.operator(2);
        }
        self.skip(1);
        self.line = self.line.saturating_add(1);
        self.frames.push(Frame::Heredoc { start, length: marker.len() });
    }

    /// The inside of a heredoc, up to its marker or its next expression.
    pub(super) fn heredoc(&mut self, start: usize, length: usize) {
        let marker = self.text.get(start..start.saturating_add(length)).unwrap_or_default();
        let before = self.at.checked_sub(1).and_then(|at| self.text.as_bytes().get(at));
        if before == Some(&b'\n') {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let line = rest.trim_start_matches([' ', '\t']);
            let behind =
                line.strip_prefix(marker).map(|rest| rest.trim_start_matches([' ', '\t', '\r']));
            if let Some(behind) = behind.filter(|rest| rest.is_empty() || rest.starts_with('\n')) {
                self.at = self.text.len().saturating_sub(behind.len());
                self.frames.pop();
                return;
            }
        }
        self.template(b"\n");
    }

    /// The inside of a string, up to its end or its next expression. A string ends with its line at the
    /// latest: one that does not was never closed.
    pub(super) fn quoted(&mut self, start: usize, is_plain: bool) {
        let before = self.frames.len();
        self.template(b"\"\\\n");
        if self.frames.len() > before {
            return;
        }
        let here = self.at.saturating_sub(1);
        match self.text.as_bytes().get(here) {
            Some(b'"') => {
                self.frames.pop();
                let text = self.text.get(start..here).unwrap_or_default();
                match self.is_head() {
                    true if is_plain => self.add_to_head(unquoted(text)),
                    is_head => self.head.is_computed |= is_head,
                }
                self.chain = None;
            }
            Some(b'\n') => {
                self.frames.pop();
                self.at = here;
                self.line = self.line.saturating_sub(1);
            }
            Some(b'\\') if self.peek(0).is_some_and(|byte| byte != b'\n') => self.skip(1),
            None | Some(_) => (),
        }
    }

    /// Goes on behind the next of some bytes, or into the next `${` or `%{`.
    pub(super) fn template(&mut self, stops: &[u8]) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let is_mark = |byte: &u8| matches!(byte, b'$' | b'%' | b'\n') || stops.contains(byte);
        let Some(length) = rest.iter().position(is_mark) else {
            return self.skip(rest.len());
        };
        self.skip(length);
        let byte = self.peek(0);
        match (byte, self.peek(1), self.peek(2)) {
            (Some(b'$' | b'%'), Some(b'{'), _) => {
                self.skip(2);
                if let Some(Frame::Quoted { is_plain, .. }) = self.frames.last_mut() {
                    *is_plain = false;
                }
                self.frames.push(Frame::Bracket { closer: b'}', chain: None });
            }
            (Some(b'$' | b'%'), second, Some(b'{')) if byte == second => self.skip(3),
            _ => self.skip(1),
        }
        if byte == Some(b'\n') {
            self.line = self.line.saturating_add(1);
        }
    }
}
