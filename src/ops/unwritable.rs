//! What stands in the way of Terraform's writing a local state: the facts for `guard::writable`.

use std::io;
use std::path::Path;

use nix::errno::Errno;

use crate::guard::refusal::Refusal;
use crate::guard::writable::{self, Purpose, Spot};
use crate::model::guard::Guard;
use crate::model::operation::Image;
use crate::sys::room;
use crate::terraform::locate::Location;
use crate::terraform::writable::Places;

use super::capture;

/// Objects where Terraform could not write the state; nothing to say of a remote one.
pub(super) fn look(location: &Location, found: &Image) -> Option<Refusal> {
    let obstacle = obstacle(capture::local_path(location)?, found.bytes)?;
    Some(Refusal::of(Guard::UnwritableState, obstacle))
}

/// What stands in the way of writing the state at `path`, in a sentence; none where nothing does.
/// `state_bytes` is how large it is.
fn obstacle(path: &Path, state_bytes: u64) -> Option<String> {
    let places = Places::of(path);
    let file = places.file.into_iter().map(|path| Spot {
        denied: room::why_not_written(&path).map(|error| in_words(&error)),
        free_bytes: room::free_bytes(&path),
        purpose: Purpose::State,
        path,
    });
    let directories = places.directories.into_iter().map(|path| Spot {
        denied: room::why_no_new_file(&path).map(|error| in_words(&error)),
        free_bytes: room::free_bytes(&path),
        purpose: Purpose::Beside,
        path,
    });
    writable::obstacle(&file.chain(directories).collect::<Vec<_>>(), state_bytes)
}

/// The system's reason without its number.
fn in_words(error: &io::Error) -> String {
    let errno = error.raw_os_error().map(Errno::from_raw);
    errno.map_or_else(|| error.to_string(), |errno| errno.desc().to_lowercase())
}
