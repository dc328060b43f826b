//! What can go wrong with the store, named after what was being done.

use std::io;
use std::path::PathBuf;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The root could not be opened or looked at.
    #[error("cannot open the store `{}`", path.display())]
    Open {
        /// The root.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A directory or one of the fixed files could not be made.
    #[error("cannot create `{}` in the store", path.display())]
    Create {
        /// What was to be made.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A directory of the store belongs to somebody else.
    #[error("`{}` belongs to another user (uid {owner})", path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// Others may write to a directory of the store.
    #[error("others may write to `{}` (mode {mode:04o})", path.display())]
    Exposed {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// There is something else in the directory that should become the store.
    #[error("`{}` is neither empty nor a store", path.display())]
    NotAStore {
        /// The directory.
        path: PathBuf,
    },
    /// There are states but no FORMAT: what they are cannot be known.
    #[error("the store `{}` has lost its FORMAT file", path.display())]
    MissingFormat {
        /// The root.
        path: PathBuf,
    },
    /// FORMAT is no FORMAT.
    #[error("cannot understand `{}`", path.display())]
    BadFormat {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The store was made by a newer `tf`, which asks older ones to keep away.
    #[error("the store `{}` was made by a newer tf and may only be {} by it", path.display(), access.participle())]
    NewerFormat {
        /// The root.
        path: PathBuf,
        /// What is not allowed.
        access: Access,
    },
    /// A lock could not be asked for.
    #[error("cannot lock `{}`", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A lock was kept by somebody else for too long.
    #[error("`{}` is locked by {holder}", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// What the holder wrote about itself.
        holder: String,
    },
    /// What a history is about could not be read.
    #[error("cannot read `{}`", path.display())]
    ReadIdentity {
        /// The `identity.json`.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is too little room for a snapshot.
    #[error("too little space at `{}`: {needed} bytes needed, {available} available", path.display())]
    Space {
        /// The directory of the objects.
        path: PathBuf,
        /// Bytes wanted.
        needed: u64,
        /// Bytes there are.
        available: u64,
    },
    /// A snapshot could not be written.
    #[error("cannot save snapshot `{object}`")]
    Put {
        /// Name of the object.
        object: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What the compressor wrote does not decode to what it was given.
    #[error("the compressed form of snapshot `{object}` is wrong")]
    EncodeVerify {
        /// Name of the object.
        object: String,
    },
    /// A directory could not be made durable earlier in this process; nothing there can be trusted to
    /// become durable now.
    #[error("`{}` could not be made durable before", path.display())]
    Dead {
        /// The directory of the history.
        path: PathBuf,
    },
    /// The state was recorded without its bytes.
    #[error("no bytes of this state were saved")]
    NoObject,
    /// A snapshot could not be read.
    #[error("cannot read snapshot `{object}`")]
    Get {
        /// Name of the object.
        object: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A snapshot is not what was saved.
    #[error("snapshot `{object}` is damaged: {fault}")]
    DamagedObject {
        /// Name of the object, as it was recorded.
        object: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The journal could not be read.
    #[error("cannot read the journal `{}`", path.display())]
    ReadJournal {
        /// The segment, or the directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A record could not be written.
    #[error("cannot append to the journal `{}`", path.display())]
    Append {
        /// The directory of the journal.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A record could not be put into words.
    #[error("cannot encode a journal record")]
    Encode(#[source] serde_json::Error),
    /// A record is too long even with its command line cut.
    #[error("a journal record of {length} bytes is too long")]
    LineTooLong {
        /// Its length.
        length: usize,
    },
    /// The journal has used up its numbers.
    #[error("the journal `{}` is full", path.display())]
    Full {
        /// The directory of the journal.
        path: PathBuf,
    },
    /// A marker of a running operation could not be written.
    #[error("cannot mark the running operation at `{}`", path.display())]
    Mark {
        /// The marker.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The markers of running operations could not be read.
    #[error("cannot read the running operations at `{}`", path.display())]
    ReadMarks {
        /// The marker, or their directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What one may want from a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Look.
    Read,
    /// Add.
    Write,
}

impl Access {
    /// The word for messages.
    fn participle(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "written",
        }
    }
}
