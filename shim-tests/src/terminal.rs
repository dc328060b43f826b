//! A pseudo-terminal: a program's three streams, and somebody who types, looks and pulls the plug.
//!
//! Easy to get wrong: the end that the program has is held here too until the program has ended, or
//! whoever reads would see an end before the beginning. And a key that signals throws away what was written
//! but not yet read (`termios(3)`), so that what is seen would depend on how fast it was read: NOFLSH.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::process::Command;

use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::ttyname;

use crate::reader::Reader;

/// How large a window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// How wide.
    pub columns: u16,
    /// How high.
    pub lines: u16,
}

impl Default for Size {
    fn default() -> Self {
        Self { columns: 80, lines: 24 }
    }
}

/// How a terminal is set: echo, line editing, special keys, speed; as text, to be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings(pub(crate) String);

impl From<&Termios> for Settings {
    fn from(termios: &Termios) -> Self {
        let Termios {
            input_flags, output_flags, control_flags, local_flags, control_chars, ..
        } = termios;
        Self(format!(
            "{input_flags:?}\n{output_flags:?}\n{control_flags:?}\n{local_flags:?}\n{control_chars:?}"
        ))
    }
}

/// A pseudo-terminal.
#[derive(Debug)]
pub(crate) struct Terminal {
    /// Its name in `/dev/pts`.
    name: String,
    /// Where one types.
    keyboard: File,
    /// What it shows.
    reader: Reader,
    /// Held until the program has ended.
    slave: OwnedFd,
    /// How it was set at first.
    first: Settings,
}

impl Terminal {
    /// Opens one.
    pub(crate) fn open(size: Size) -> Self {
        let size = Winsize { ws_row: size.lines, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
        let OpenptyResult { master, slave } = openpty(Some(&size), None).unwrap();
        // Neither end may reach a child by inheritance: it would keep the terminal alive.
        for fd in [&master, &slave] {
            let flag = nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC);
            nix::fcntl::fcntl(fd, flag).unwrap();
        }
        let name = ttyname(&slave).unwrap().into_os_string().into_string().unwrap();
        let master = File::from(master);
        let keyboard = master.try_clone().unwrap();
        let mut termios = tcgetattr(&slave).unwrap();
        termios.local_flags.insert(LocalFlags::NOFLSH);
        tcsetattr(&slave, SetArg::TCSANOW, &termios).unwrap();
        let first = Settings::from(&termios);
        Self { name, keyboard, reader: Reader::start(master), slave, first }
    }

    /// Returns its name in `/dev/pts`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns what it has shown so far.
    pub(crate) fn screen(&self) -> Vec<u8> {
        self.reader.bytes()
    }

    /// Types.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    /// Changes its size. The system call has no safe wrapper in nix, so `stty` makes it.
    pub(crate) fn resize(&self, size: Size) {
        let (columns, lines) = (size.columns.to_string(), size.lines.to_string());
        let args = ["-F", &self.name, "columns", &columns, "rows", &lines];
        assert!(Command::new("stty").args(args).status().unwrap().success());
    }

    /// Returns how it is set, where that is not as at first.
    pub(crate) fn changed_settings(&self) -> Option<Settings> {
        let now = Settings::from(&tcgetattr(&self.slave).unwrap());
        (now != self.first).then_some(now)
    }

    /// Closes it, as a lost connection does.
    pub(crate) fn hang_up(self) {
        let Self { keyboard, reader, slave, name: _, first: _ } = self;
        drop(keyboard);
        reader.stop();
        drop(slave);
    }

    /// Returns everything it has shown, line ends as the program wrote them.
    pub(crate) fn finish(self) -> Vec<u8> {
        let Self { slave, reader, keyboard, name: _, first: _ } = self;
        drop(slave);
        let text = reader.finish();
        drop(keyboard);
        let mut lines = Vec::with_capacity(text.len());
        for (at, byte) in text.iter().enumerate() {
            if *byte != b'\r' || text.get(at + 1) != Some(&b'\n') {
                lines.push(*byte);
            }
        }
        lines
    }
}
