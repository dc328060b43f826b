//! Saved plans: how one is read out, and what is in the file.
//!
//! A plan holds every secret in clear text: it lies in a private directory, and what is read of it never
//! reaches a stream of ours as it is.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::model::state::{Lineage, Serial, StateImage};

use super::{Limits, Terraform, TerraformError, succeeded, succeeded_saying};

/// A state inside a plan that is larger than this is not read for its serial.
const STATE_LIMIT: u64 = 1 << 30;
/// How often somebody who waits for a document asks whether to give up.
const PAUSE: Duration = Duration::from_millis(50);

/// What a plan has to say about itself, on its way.
pub(crate) struct Shown {
    handle: duct::Handle,
    answer: File,
    /// What it says beside; a file, too. A thread that listened would take the signal of another child's end,
    /// which `supervise` waits for.
    said: File,
    what: String,
}

impl Terraform {
    /// Begins to read a saved plan out as JSON, into a file that is private already; it may go on beside an
    /// apply of that plan, which only reads it too.
    ///
    /// # Errors
    /// It could not be started.
    pub(crate) fn begin_show(&self, plan: &Path, answer: &Path) -> Result<Shown, TerraformError> {
        let what = format!("{} show -json", self.real().name());
        let start = |source| TerraformError::Start { what: what.clone(), source };
        let open = |path: &Path| File::options().read(true).write(true).create_new(true).open(path);
        let open = |path: &Path| open(path).and_then(|file| Ok((file.try_clone()?, file)));
        let (theirs, file) = open(answer).map_err(start)?;
        let (their_words, said) = open(&answer.with_extension("said")).map_err(start)?;
        let words =
            [OsStr::new("show"), OsStr::new("-json"), OsStr::new("-no-color"), plan.as_os_str()];
        let command = self.command(&words, &[], None, theirs).stderr_file(their_words);
        let handle = command.start().map_err(start)?;
        Ok(Shown { handle, answer: file, said, what })
    }
}

impl Terraform {
    /// Shows a saved plan on stderr, as Terraform shows plans.
    ///
    /// # Errors
    /// It could not be started, or failed.
    pub(crate) fn tell_plan(&self, plan: &Path, is_coloured: bool) -> Result<(), TerraformError> {
        let what = format!("{} show", self.real().name());
        let start = |source| TerraformError::Start { what: what.clone(), source };
        let stderr = std::io::stderr().as_fd().try_clone_to_owned().map_err(start)?;
        let colour = (!is_coloured).then_some(OsStr::new("-no-color"));
        let words = std::iter::once(OsStr::new("show")).chain(colour).chain([plan.as_os_str()]);
        let words: Vec<&OsStr> = words.collect();
        let output = self.listened_to(&words, &[], None, stderr).run().map_err(start)?;
        succeeded(&what, &output)
    }
}

impl Shown {
    /// Waits for the end, and gives the document.
    ///
    /// # Errors
    /// It failed, took too long, or is too large.
    pub(crate) fn finish(self, limits: Limits<'_>) -> Result<Vec<u8>, TerraformError> {
        let Self { handle, mut answer, mut said, what } = self;
        let failed = |source| TerraformError::Start { what: what.clone(), source };
        let deadline = Instant::now() + limits.time;
        loop {
            if handle.wait_timeout(PAUSE).map_err(failed)?.is_some() {
                break;
            }
            let is_late = Instant::now() >= deadline;
            if is_late || (limits.give_up)() {
                let _ = handle.kill();
                return Err(if is_late {
                    TerraformError::TimedOut { what, limit: limits.time }
                } else {
                    TerraformError::Abandoned { what }
                });
            }
        }
        let status = handle.into_output().map_err(failed)?.status;
        // Terraform wrote through other descriptors of the same files: the places in them are shared.
        let mut words = Vec::new();
        said.rewind().and_then(|()| said.read_to_end(&mut words)).map_err(failed)?;
        succeeded_saying(&what, status.code(), &words)?;
        if answer.metadata().map_err(failed)?.len() > limits.bytes {
            let what = format!("the answer of `{what}`");
            return Err(TerraformError::TooLarge { what, limit: limits.bytes });
        }
        let mut document = Vec::new();
        answer.rewind().and_then(|()| answer.read_to_end(&mut document)).map_err(failed)?;
        Ok(document)
    }
}

/// Lineage and serial of the state that a saved plan was made for; none where it cannot be read.
pub(crate) fn state_of(path: &Path) -> Option<(Lineage, Serial)> {
    let mut archive = zip::ZipArchive::new(File::open(path).ok()?).ok()?;
    let mut text = Vec::new();
    archive.by_name("tfstate").ok()?.take(STATE_LIMIT).read_to_end(&mut text).ok()?;
    let image = StateImage::new(text);
    let header = image.header()?;
    Some((header.lineage.clone()?, header.serial))
}
