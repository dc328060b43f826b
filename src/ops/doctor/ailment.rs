//! Everything that `doctor` can find: its word, its weight, and why it matters, in one table.
//!
//! The words are a contract, as monitoring is built upon them; `docs/doctor.md` has a section for each, and a
//! test holds it to that.

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// Something can be lost, or is: status 1.
    Problem,
    /// Worth knowing: status 0.
    Note,
}

impl Weight {
    /// Its word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Note => "note",
        }
    }
}

/// Makes the type of the table's rows, so that no word can lack its weight or its reason.
macro_rules! ailments {
    ($($variant:ident: $word:literal, $weight:ident, $why:literal;)*) => {
        /// What can be wrong with a set-up.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Ailment {
            $(#[doc = $why] $variant,)*
        }

        impl Ailment {
            /// All of them, in the order in which they are shown.
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its word, which never changes.
            pub(crate) fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Its weight.
            pub(crate) fn weight(self) -> Weight {
                match self { $(Self::$variant => Weight::$weight,)* }
            }

            /// Why it matters, in a sentence or two.
            pub(crate) fn why(self) -> &'static str {
                match self { $(Self::$variant => $why,)* }
            }
        }
    };
}

ailments! {
    RealMissing: "real-missing", Problem,
        "tf runs Terraform and cannot replace it; every command ends with 126 or 127";
    RealBroken: "real-broken", Problem,
        "every command of Terraform's would end the same way";
    Loop: "loop", Problem,
        "tf and that program would call each other; tf gives up after a few rounds, and \
        nothing runs";
    Shadowed: "shadowed", Problem,
        "what is typed does not go through tf: nothing is saved, and nothing is guarded";
    DanglingLink: "dangling-link", Problem,
        "the tf that it led to is gone: the shell passes the link over, and what is typed is not \
        found, or does not go through tf";
    Bypass: "bypass", Problem,
        "while it is set, everything is forwarded: nothing is saved, and nothing is guarded";
    NoHome: "no-home", Problem,
        "without a home there is no place for the store: commands that change state are \
        refused with 125";
    Variable: "variable", Problem,
        "commands that change state are refused with 125 until it is right";
    Configuration: "configuration", Problem,
        "commands that change state are refused with 125 until it is mended";
    CliArgs: "cli-args", Problem,
        "Terraform refuses every command that the variable is for";
    LockOff: "lock-off", Problem,
        "two applies at once would overwrite each other's state, and neither would notice";
    NoLocking: "no-locking", Problem,
        "two applies at once overwrite each other's state, and neither notices";
    BackendRecord: "backend-record", Problem,
        "which state this directory uses cannot be told, by tf or by Terraform";
    StateUnreadable: "state-unreadable", Problem,
        "what cannot be read cannot be saved: commands that change state are refused with 125";
    MissingState: "missing-state", Problem,
        "Terraform would create everything a second time";
    CorruptState: "corrupt-state", Problem,
        "Terraform refuses to work with it";
    ForeignState: "foreign-state", Problem,
        "it is the state of something else; an apply would create and destroy the wrong \
        things";
    OlderState: "older-state", Problem,
        "it forgets what was done since; an apply would repeat it, or undo it";
    Passport: "passport", Problem,
        "where the history knows nothing yet, commands that change state are refused with 125";
    NewerState: "newer-state", Problem,
        "Terraform does not refuse it, and writes it back as the older version understands it";
    ErroredState: "errored-state", Problem,
        "it may be the only record of what the last run did; the next failure overwrites it";
    StateTracked: "state-tracked", Problem,
        "states and plans hold secrets in clear text, and git keeps them for ever; a checkout \
        also brings an old state back";
    StateNotIgnored: "state-not-ignored", Problem,
        "states and plans hold secrets in clear text; the next `git add .` commits them";
    ReadableByOthers: "readable-by-others", Problem,
        "states and plans hold secrets in clear text, and every user of this machine can read \
        these";
    RestoreInterrupted: "restore-interrupted", Problem,
        "the state may be half written; Terraform refuses it until the restore is finished";
    StoreUnusable: "store-unusable", Problem,
        "commands that change state are refused with 125";
    StoreExposed: "store-exposed", Problem,
        "the store holds every state with its secrets; it must be yours alone";
    StoreFull: "store-full", Problem,
        "a snapshot that does not fit keeps the command from running: status 125";
    StoreInRepository: "store-in-repository", Problem,
        "`git clean` and a removed checkout take the snapshots with them, and `git add` \
        commits their secrets";
    StoreInModule: "store-in-module", Problem,
        "whoever removes the directory, or copies it, takes the snapshots along with the state \
        that they are to bring back";
    StoreVolatile: "store-volatile", Problem,
        "its files are in memory: after a restart the snapshots are gone";
    JournalDamaged: "journal-damaged", Problem,
        "some operations are not known any more; the rest of the history still counts";
    SnapshotDamaged: "snapshot-damaged", Problem,
        "the newest good state, `@`, cannot be given back";
    NotOnPath: "not-on-path", Note,
        "it runs only where it is called by its path; what is typed as `tf` is not found, or \
        is another";
    AnotherTf: "another-tf", Note,
        "two copies guard one after the other, and an update of one leaves the other as it was";
    RelativePath: "relative-path", Note,
        "a shell runs whatever has that name in the directory it is in; tf passes these \
        entries over";
    Alias: "alias", Note,
        "in shells that read this file, the name does not mean the program on PATH";
    Allow: "allow", Note,
        "the guards that it names let every command of this shell pass, not only the one that it was \
        meant for";
    UnknownVariable: "unknown-variable", Note,
        "it has no effect: it is misspelled, or for another version of tf";
    CliConfig: "cli-config", Note,
        "Terraform warns before each command and works without its settings and credentials";
    Gitignore: "gitignore", Note,
        "the files that it should keep out are not there yet; when they are, `git add .` \
        commits them";
    NotCommitted: "not-committed", Note,
        "other checkouts work with other providers, or without the check that it gives";
    GitRefuses: "git-refuses", Note,
        "whether states are kept out of git could not be looked at";
    StaleLock: "stale-lock", Note,
        "it was left by a Terraform that was killed. Nobody holds the lock and Terraform \
        ignores it; it only misleads people";
    LockMayRemain: "lock-may-remain", Note,
        "a Terraform that is killed leaves its lock in the backend, and the next command \
        finds it locked";
    OperationUnfinished: "operation-unfinished", Note,
        "its end was not seen; the next command that changes state closes its record";
    StoreLeftovers: "store-leftovers", Note,
        "they were left by a write that was cut off; they hold parts of states and only take \
        room";
    StoreIgnored: "store-ignored", Note,
        "git leaves it out of commits, but `git clean -x` and a removed checkout take the \
        snapshots with them";
    StoreOnNetwork: "store-on-network", Note,
        "locks and syncs may not hold there; the store then works with less certainty";
    Clock: "clock", Note,
        "times in lists are wrong, and so are REFs such as `2h`; the order of operations is \
        not affected";
}

#[cfg(test)]
mod tests {
    use super::{Ailment, Weight};

    #[test]
    fn every_ailment_has_a_section_in_the_documentation_under_its_weight() {
        let page = include_str!("../../../docs/doctor.md");
        let notes = page.find("\n## Notes\n").expect("the notes have a heading");
        for ailment in Ailment::ALL.iter().copied() {
            let heading = format!("\n### `{}`\n", ailment.word());
            let at = page.find(&heading).unwrap_or_else(|| panic!("{heading:?} is missing"));
            let weight = if at < notes { Weight::Problem } else { Weight::Note };
            assert_eq!(ailment.weight(), weight, "{}", ailment.word());
        }
        assert_eq!(page.matches("\n### `").count(), Ailment::ALL.len(), "and no other");
    }

    #[test]
    fn the_schema_knows_every_word() {
        let schema: serde_json::Value =
            serde_json::from_str(include_str!("../../../docs/doctor.schema.json")).unwrap();
        let known = schema.pointer("/$defs/finding/properties/id/enum").unwrap();
        let known: Vec<_> = known.as_array().unwrap().iter().filter_map(|id| id.as_str()).collect();
        assert_eq!(known, Ailment::ALL.iter().map(|a| a.word()).collect::<Vec<_>>());
    }
}
