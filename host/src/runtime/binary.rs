//! A component as it comes, and what it is known by: files that were compiled from it have their names from that.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::COMPONENT;

/// The bytes of a component, and their SHA-256 in hexadecimal digits.
pub(super) struct Binary<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) digest: Cow<'static, str>,
}

impl<'a> Binary<'a> {
    /// The component that ships. Its digest comes from the build of this crate: taking it at each start was a fifth of the
    /// time of one.
    pub(super) fn shipped() -> Self {
        Self { bytes: COMPONENT, digest: env!("OMNISTORAGE_COMPONENT_SHA256").into() }
    }

    /// A component of somebody else's.
    pub(super) fn given(bytes: &'a [u8]) -> Self {
        Self { bytes, digest: format!("{:x}", Sha256::digest(bytes)).into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_and_the_program_agree_about_the_component() {
        assert_eq!(Binary::shipped().digest, Binary::given(COMPONENT).digest);
    }
}
