//! How generated bindings of the WIT package map onto this vocabulary: the one place where both are named together.
//!
//! The generators of guests and hosts make types of the same shape, each its own. A crate with bindings says which
//! interfaces it has, and gets the conversions: [`IntoWit`] on the way out, which cannot fail, and [`FromWit`] on the way
//! in, where a path or a time is checked.
//!
//! ```ignore
//! use bindings::omnistorage::storage::{backend, types};
//! omnistorage_types::mirror_types!(types);
//! omnistorage_types::mirror_backend!(backend);
//! ```

mod tables;

use std::time::Duration;

use crate::{Dictionary, Error, ErrorCode, Path, Result};

/// A word of ours in the type of a binding.
pub trait IntoWit<W> {
    /// The same, in that type.
    fn into_wit(self) -> W;
}

/// A word that came through a binding. What comes from outside is checked.
pub trait FromWit<W>: Sized {
    /// The same, in this vocabulary.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidPath`] for a path that breaks the grammar, [`ErrorCode::InvalidArgument`] for a time that is
    /// none.
    fn from_wit(wit: W) -> Result<Self>;
}

/// What is the same on both sides.
macro_rules! same {
    ($($type:ty),*) => { $(
        impl IntoWit<$type> for $type {
            fn into_wit(self) -> $type {
                self
            }
        }
        impl FromWit<$type> for $type {
            fn from_wit(wit: $type) -> Result<Self> {
                Ok(wit)
            }
        }
    )* };
}

same!(bool, u8, u32, u64, i32, char, String, (String, String));

impl<W, T: IntoWit<W>> IntoWit<Option<W>> for Option<T> {
    fn into_wit(self) -> Option<W> {
        self.map(T::into_wit)
    }
}

impl<W, T: FromWit<W>> FromWit<Option<W>> for Option<T> {
    fn from_wit(wit: Option<W>) -> Result<Self> {
        wit.map(T::from_wit).transpose()
    }
}

impl<W, T: IntoWit<W>> IntoWit<Vec<W>> for Vec<T> {
    fn into_wit(self) -> Vec<W> {
        self.into_iter().map(T::into_wit).collect()
    }
}

impl<W, T: FromWit<W>> FromWit<Vec<W>> for Vec<T> {
    fn from_wit(wit: Vec<W>) -> Result<Self> {
        wit.into_iter().map(T::from_wit).collect()
    }
}

impl<W, T: IntoWit<W>> IntoWit<W> for Box<T> {
    fn into_wit(self) -> W {
        (*self).into_wit()
    }
}

impl<W, T: FromWit<W>> FromWit<W> for Box<T> {
    fn from_wit(wit: W) -> Result<Self> {
        T::from_wit(wit).map(Self::new)
    }
}

impl IntoWit<String> for Path {
    fn into_wit(self) -> String {
        self.into()
    }
}

impl FromWit<String> for Path {
    fn from_wit(wit: String) -> Result<Self> {
        Ok(Self::parse(wit)?)
    }
}

impl IntoWit<Vec<u8>> for Dictionary {
    fn into_wit(self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}

impl FromWit<Vec<u8>> for Dictionary {
    fn from_wit(wit: Vec<u8>) -> Result<Self> {
        Ok(wit.into())
    }
}

/// In nanoseconds; what is longer than 584 years counts as that.
impl IntoWit<u64> for Duration {
    fn into_wit(self) -> u64 {
        u64::try_from(self.as_nanos()).unwrap_or(u64::MAX)
    }
}

impl FromWit<u64> for Duration {
    fn from_wit(wit: u64) -> Result<Self> {
        Ok(Self::from_nanos(wit))
    }
}

/// The nanoseconds of a time, checked.
///
/// # Errors
/// [`ErrorCode::InvalidArgument`] from a whole second on.
pub fn nanoseconds(nanoseconds: u32) -> Result<u32> {
    if nanoseconds < 1_000_000_000 {
        return Ok(nanoseconds);
    }
    let message = format!("a time has {nanoseconds} nanoseconds: a second has fewer than 1000000000");
    Err(Error::new(ErrorCode::InvalidArgument, message))
}
