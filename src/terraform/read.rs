//! Reading a state as it is now: the file itself, or Terraform's answer.
//!
//! A local state is read from its file, byte for byte; `state pull` would re-serialise it. Terraform writes
//! in place (`ftruncate`, `write`), so a reader may see half of it: a read counts only when the file
//! stayed the same meanwhile.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use crate::model::operation::{Source, Status};
use crate::model::state::StateImage;
use crate::sys::file::{Glance, Holder, lock_holder, open_for_looking};

use super::{Limits, Terraform, TerraformError, selecting};

/// How long a state may keep changing before a read is given up.
const PATIENCE: Duration = Duration::from_secs(2);
/// A state that was written a moment ago and does not parse is probably still being written.
const JUST_NOW: Duration = Duration::from_millis(250);

/// A state as it was found.
pub(crate) struct Reading {
    /// What was found.
    pub(crate) status: Status,
    /// The bytes, where there are any.
    pub(crate) image: Option<StateImage>,
    /// Where they came from.
    pub(crate) source: Source,
    /// Whether somebody held Terraform's lock meanwhile, so that it may be about to change.
    pub(crate) is_locked: bool,
}

impl Reading {
    fn absent(source: Source) -> Self {
        Self { status: Status::Absent, image: None, source, is_locked: false }
    }

    fn of(bytes: Vec<u8>, source: Source, is_locked: bool) -> Self {
        let image = StateImage::new(bytes);
        Self { status: image.status(), image: Some(image), source, is_locked }
    }
}

/// Reads a state file: a stable read, without taking any lock, never waiting at a FIFO or a device.
///
/// # Errors
/// It is not a file, too large, unreadable, or never the same twice.
pub(crate) fn read_file(path: &Path, max_bytes: u64) -> Result<Reading, TerraformError> {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = Duration::from_millis(1);
    let mut last = None;
    loop {
        let Some(attempt) = read_once(path, max_bytes)? else {
            return Ok(Reading::absent(Source::File));
        };
        if attempt.is_settled {
            return Ok(attempt.reading);
        }
        if Instant::now() >= deadline {
            // Stable, but locked or fresh and no state: that is what is there.
            let stable = attempt.is_stable.then_some(attempt.reading).or(last);
            return stable.ok_or_else(|| TerraformError::Unstable { path: path.to_owned() });
        }
        last = attempt.is_stable.then_some(attempt.reading);
        sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// Reads a state file while we hold its lock: whoever respects it is not writing, so that what is no state
/// is not waited for, and the lock that is seen is our own.
///
/// # Errors
/// As [`read_file`].
pub(crate) fn read_under_own_lock(path: &Path, max_bytes: u64) -> Result<Reading, TerraformError> {
    match read_once(path, max_bytes)? {
        None => Ok(Reading::absent(Source::File)),
        Some(attempt) if attempt.is_stable => Ok(Reading { is_locked: false, ..attempt.reading }),
        Some(_) => Err(TerraformError::Unstable { path: path.to_owned() }),
    }
}

struct Attempt {
    reading: Reading,
    /// The file did not change while it was read.
    is_stable: bool,
    /// And nothing says that it is about to.
    is_settled: bool,
}

fn read_once(path: &Path, max_bytes: u64) -> Result<Option<Attempt>, TerraformError> {
    let failed = |source| TerraformError::Read { path: path.to_owned(), source };
    let mut file = match open_for_looking(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // A directory on the way that is a file is as absent as no directory.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(None),
        Err(source) => return Err(unless_not_a_file(path, source)),
    };
    let before = file.metadata().map_err(failed)?;
    if !before.is_file() {
        return Err(TerraformError::NotAFile { path: path.to_owned(), kind: kind_of(&before) });
    }
    let is_locked = is_locked(&file);
    let bytes = read_bytes(&mut file, before.len(), max_bytes, path)?;
    let after = file.metadata().map_err(failed)?;
    let by_name = std::fs::metadata(path).ok();
    let is_stable = is_same(&before, &after)
        && by_name.is_some_and(|named| is_same(&before, &named))
        && bytes.len() as u64 == before.len();
    let reading = Reading::of(bytes, Source::File, is_locked);
    let is_whole = !matches!(reading.status, Status::Invalid | Status::Empty);
    let is_settled = is_stable && (is_whole || !(is_locked || is_fresh(&before)));
    Ok(Some(Attempt { reading, is_stable, is_settled }))
}

/// Reads a file from where it stands to its end. `expected` is how much there should be.
pub(super) fn read_bytes(
    file: &mut File,
    expected: u64,
    max_bytes: u64,
    path: &Path,
) -> Result<Vec<u8>, TerraformError> {
    let failed = |source| TerraformError::Read { path: path.to_owned(), source };
    let too_large =
        || TerraformError::TooLarge { what: format!("`{}`", path.display()), limit: max_bytes };
    if expected > max_bytes {
        return Err(too_large());
    }
    // One byte more than announced, so that the last read finds the end without growing the buffer.
    let room = usize::try_from(expected).unwrap_or(0).saturating_add(1);
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(room).map_err(|_| failed(io::ErrorKind::OutOfMemory.into()))?;
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > max_bytes {
        return Err(too_large());
    }
    Ok(bytes)
}

fn unless_not_a_file(path: &Path, source: io::Error) -> TerraformError {
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => {
            TerraformError::NotAFile { path: path.to_owned(), kind: kind_of(&found) }
        }
        Ok(_) | Err(_) => TerraformError::Read { path: path.to_owned(), source },
    }
}

fn is_locked(file: &File) -> bool {
    lock_holder(file).is_ok_and(|holder| holder != Holder::Nobody)
}

fn is_same(a: &Metadata, b: &Metadata) -> bool {
    Glance::of(a) == Glance::of(b)
}

fn is_fresh(metadata: &Metadata) -> bool {
    let age = metadata.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
    age.is_some_and(|age| age < JUST_NOW)
}

fn kind_of(metadata: &Metadata) -> &'static str {
    let kind = metadata.file_type();
    match () {
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a FIFO",
        () if kind.is_socket() => "a socket",
        () if kind.is_char_device() || kind.is_block_device() => "a device",
        () => "something else",
    }
}

/// Asks Terraform for the state of a workspace.
///
/// An empty answer, and the skeleton with serial 0 and no lineage that a remote without a state gives,
/// both mean that there is none (terraform-facts.md 7.1).
///
/// # Errors
/// As [`Terraform::ask_for`].
pub(crate) fn pull(
    terraform: &Terraform,
    workspace: Option<&str>,
    limits: Limits<'_>,
) -> Result<Reading, TerraformError> {
    let mut answer = terraform.ask_for(&["state", "pull"], &selecting(workspace), None, limits)?;
    // Pull adds one newline of its own.
    if answer.ends_with(b"\n\n") {
        answer.pop();
    }
    let reading = Reading::of(answer, Source::Pull, false);
    let is_skeleton = reading.image.as_ref().and_then(StateImage::header).is_some_and(|header| {
        header.serial.0 == 0 && header.lineage.is_none() && header.resources == 0
    });
    if reading.status == Status::Empty || is_skeleton {
        return Ok(Reading::absent(Source::Pull));
    }
    Ok(reading)
}

/// Whether a failed helper command means that Terraform will stop before it touches any state: the backend
/// is not initialised, it has no workspaces and one is meant, or the configuration has an error, which it
/// shows with file and line.
///
/// Seen with Terraform 1.11.4; a failure that is not recognised counts as one of ours.
pub(crate) fn is_sure_stop(error: &TerraformError) -> bool {
    let TerraformError::Failed { stderr, .. } = error else { return false };
    let titles = [
        "Error: Backend initialization required",
        "Error: Backend configuration changed",
        "Error: Missing backend configuration",
        "Error: HCP Terraform or Terraform Enterprise initialization required",
    ];
    let lines = || stderr.lines().map(|line| line.trim_start_matches(['│', '╷', '╵', ' ']));
    lines().any(|line| {
        titles.iter().any(|title| line.starts_with(title))
            || line.trim_end().ends_with("workspaces not supported")
            || (line.starts_with("on ") && line.contains(" line "))
    })
}
