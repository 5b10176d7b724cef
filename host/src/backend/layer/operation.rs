//! The calls of a backend, by name.

use std::fmt;

use omnistorage_types::Path;

/// A call, as a layer sees it.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// What is done.
    pub operation: Operation,
    /// The kind of the backend.
    pub backend: &'a str,
    /// The path: for a copy or a move from here the source, of many paths the first, and the root if there is none.
    pub path: &'a Path,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Out of the backend.
    Read,
    /// Into it.
    Write,
}

macro_rules! operations {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal $(, $change:ident)?;)*) => {
        /// What is done to a backend: its methods, and the steps of a body, an upload and a listing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Operation {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Operation {
            /// All of them.
            pub const ALL: [Self; [$(Self::$variant),*].len()] = [$(Self::$variant),*];

            /// Its name, as in the WIT package if it has one there.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Whether it changes what is stored.
            #[must_use]
            pub const fn is_change(self) -> bool {
                match self {
                    $(Self::$variant => false $(|| operations!(@ $change))?,)*
                }
            }
        }
    };
    (@ changes) => { true };
}

operations! {
    /// Opening an object.
    Read = "read";
    /// The next chunk of a body that is read.
    ReadChunk = "read-chunk";
    /// Reading by value.
    ReadAll = "read-all";
    /// Beginning an upload.
    Write = "write", changes;
    /// The next chunk of an upload.
    Push = "push", changes;
    /// The end of an upload, which puts it in place.
    Commit = "commit", changes;
    /// Writing by value.
    WriteAll = "write-all", changes;
    /// Whether there is anything.
    Exists = "exists";
    /// What is known about a path.
    Stat = "stat";
    /// Opening a listing.
    List = "list";
    /// The next entries of a listing.
    ListNext = "list-next";
    /// Deleting objects.
    Delete = "delete", changes;
    /// Making a directory.
    Mkdir = "mkdir", changes;
    /// Removing a directory.
    Rmdir = "rmdir", changes;
    /// Deleting all below a prefix.
    Purge = "purge", changes;
    /// Removing what unfinished writes left behind.
    Sweep = "sweep", changes;
    /// Copying one object or many from here, to this backend or another.
    CopyTo = "copy";
    /// Receiving a copy on the short way: what a layer at the target sees, while one at the source sees `copy`.
    CopyFrom = "copy-from", changes;
    /// Moving an object from here, within this backend or to another.
    Move = "move", changes;
    /// Receiving an object that moves in one step: what a layer at the target sees, while one at the source sees
    /// `move`.
    MoveFrom = "move-from", changes;
    /// Setting a modification time.
    SetModified = "set-modified", changes;
    /// Computing a hash.
    Hash = "hash";
    /// Ending the use.
    Close = "close";
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
