//! Who holds a pipe: looked up in `/proc`.

use std::path::Path;

use crate::processes::everyone;

/// Returns the processes that hold a pipe open, by what the kernel calls it, ourselves left out.
#[must_use]
pub fn holders_of(pipe: &str) -> Vec<u32> {
    let holds = |pid: &u32| {
        let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten();
        let mut targets =
            descriptors.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        targets.any(|target| target == Path::new(pipe))
    };
    everyone().into_iter().filter(|pid| *pid != std::process::id()).filter(holds).collect()
}
