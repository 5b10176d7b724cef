//! Locations as an application writes them. Whether a path keeps the rules of the WIT package is for the library to say.

use crate::Location;

impl Location {
    /// A path in a backend.
    pub fn new(backend: impl Into<String>, path: impl Into<String>) -> Self {
        Self { backend: backend.into(), path: path.into() }
    }
}

/// `backend/path`: the name of a backend up to the first `/`, then the path in it. Without a `/` it is the root.
impl From<&str> for Location {
    fn from(place: &str) -> Self {
        let (backend, path) = place.split_once('/').unwrap_or((place, ""));
        Self::new(backend, path)
    }
}

impl From<String> for Location {
    fn from(place: String) -> Self {
        place.as_str().into()
    }
}

impl<B: Into<String>, P: Into<String>> From<(B, P)> for Location {
    fn from((backend, path): (B, P)) -> Self {
        Self::new(backend, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(place: Location) -> (String, String) {
        (place.backend, place.path)
    }

    #[test]
    fn a_place_is_a_backend_and_a_path() {
        for (written, backend, path) in
            [("data/a/b.txt", "data", "a/b.txt"), ("data", "data", ""), ("data/", "data", ""), ("", "", "")]
        {
            assert_eq!(parts(written.into()), (backend.to_owned(), path.to_owned()));
        }
        assert_eq!(parts(("data", "a/b").into()), ("data".to_owned(), "a/b".to_owned()));
    }
}
