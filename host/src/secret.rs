//! Values that must not be seen.

use std::{convert::Infallible, str::FromStr};

/// A password, a key, a token: for the settings of a backend that nobody may read in a log.
///
/// It has no `Debug` and no `Display`, so that what holds one cannot show it by accident: deriving `Debug` for such a
/// struct does not compile. The one way to the text is [`Secret::expose`], which is easy to find in a review.
///
/// ```
/// use omnistorage::{Config, Secret};
///
/// let mut config = Config::from([("password", "correct horse")]);
/// let password: Secret = config.require("password")?;
/// assert_eq!(password.expose(), "correct horse");
/// # Ok::<(), omnistorage::Error>(())
/// ```
///
/// ```compile_fail
/// println!("{:?}", omnistorage::Secret::new("correct horse"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for whom it is meant for.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }
}
