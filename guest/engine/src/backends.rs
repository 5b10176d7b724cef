//! From a location to an open backend and a checked path.

use omnistorage_path::Path;

use crate::imports::{
    backend::{self, Backend},
    types::{Error, Location, ObjectInfo},
};

/// An open backend and a checked path in it.
pub(crate) struct Place {
    pub(crate) backend: Backend,
    pub(crate) name: String,
    pub(crate) path: Path,
}

impl Place {
    /// Checks the path, then opens the backend.
    pub(crate) async fn open(location: Location) -> Result<Self, Error> {
        let Location { backend: name, path } = location;
        let path = match Path::parse(path.as_str()) {
            Ok(path) => path,
            Err(why) => {
                let at = Some(Location { backend: name, path });
                return Err(Error { at, ..why.into() });
            }
        };
        let backend =
            backend::open(name.clone(), Vec::new()).await.map_err(|error| error.at(&name, &path))?;
        Ok(Self { backend, name, path })
    }

    /// The path as the interface takes it.
    pub(crate) fn path(&self) -> String {
        self.path.as_str().to_owned()
    }

    /// What stands at the path.
    pub(crate) async fn stat(&self) -> Result<ObjectInfo, Error> {
        self.backend.stat(self.path()).await
    }

    /// An error at this place.
    pub(crate) fn error(&self, code: crate::imports::types::ErrorCode, message: &str) -> Error {
        crate::error::error(code, message).at(&self.name, &self.path)
    }
}
