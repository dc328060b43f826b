//! Whether Terraform can write the state, judged before it starts.
//!
//! With `-lock=false` and a file that it may not write, Terraform 1.11.4 says "Apply complete!" and saves
//! nothing, not even to `errored.tfstate` (terraform-facts.md 4.3). So it is not let run.

use std::path::PathBuf;

/// What must remain free beside the states: lock info, the directory itself, and whatever else is at work.
const SPARE_BYTES: u64 = 16 << 20;

/// A place that will be written, and what the system says of it.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    /// The file or directory.
    pub(crate) path: PathBuf,
    /// What it is for.
    pub(crate) purpose: Purpose,
    /// Why it cannot be written; none where it can.
    pub(crate) denied: Option<String>,
    /// Bytes that are free there; none where nobody knows.
    pub(crate) free_bytes: Option<u64>,
}

/// What a place is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The state itself.
    State,
    /// What Terraform puts beside it, or the directories that it makes first.
    Beside,
}

/// What stands in the way, in a sentence: the first thing that does. `state_bytes` is how large the state is
/// now; it may be written anew, its backup beside it, and grow.
pub(crate) fn obstacle(spots: &[Spot], state_bytes: u64) -> Option<String> {
    let denied = spots.iter().find_map(|spot| {
        let (path, why) = (spot.path.display(), spot.denied.as_ref()?);
        Some(match spot.purpose {
            Purpose::State => format!("`{path}` cannot be written: {why}"),
            Purpose::Beside => {
                format!("no file can be made in `{path}`, where lock and backup go: {why}")
            }
        })
    });
    let needed = state_bytes.saturating_mul(3).saturating_add(SPARE_BYTES);
    let full = || {
        spots.iter().find_map(|spot| {
            let free = spot.free_bytes.filter(|free| *free < needed)?;
            let (path, needed) = (spot.path.display(), needed.div_ceil(1 << 20));
            Some(format!("`{path}` has {} MiB free, and {needed} MiB may be needed", free >> 20))
        })
    };
    denied.or_else(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(purpose: Purpose, denied: Option<&str>, free_bytes: Option<u64>) -> Spot {
        Spot { path: PathBuf::from("/x"), purpose, denied: denied.map(str::to_owned), free_bytes }
    }

    #[test]
    fn what_cannot_be_written_is_named_with_the_reason() {
        let free = spot(Purpose::Beside, None, None);
        let file = spot(Purpose::State, Some("permission denied"), None);
        let directory = spot(Purpose::Beside, Some("read-only file system"), Some(0));
        let said = obstacle(&[free.clone(), file], 0).unwrap();
        assert_eq!(said, "`/x` cannot be written: permission denied");
        let said = obstacle(&[directory], 0).unwrap();
        let wanted = "no file can be made in `/x`, where lock and backup go: read-only file system";
        assert_eq!(said, wanted);
        assert_eq!(obstacle(&[free], u64::MAX), None);
    }

    #[test]
    fn three_times_the_state_and_a_margin_must_be_free() {
        let with = |free| [spot(Purpose::Beside, None, Some(free))];
        assert_eq!(obstacle(&with(SPARE_BYTES + 300), 100), None);
        let said = obstacle(&with(SPARE_BYTES + 299), 100).unwrap();
        assert_eq!(said, "`/x` has 16 MiB free, and 17 MiB may be needed");
        assert!(obstacle(&with(u64::MAX - 1), u64::MAX).is_some());
    }
}
