//! What a web server gives to everybody: objects by their addresses, and directories by the pages that nginx, Apache and
//! `python -m http.server` write about them. Nothing is changed here.
//!
//! A page says which names there are; the size and the time of each are asked for, since pages round them. A page of
//! another form is an error and no empty directory, and so is a directory that is not found: servers answer the same
//! where they do not want to tell. What a server leaves out of its pages is not listed: nginx and Apache show no names
//! with a dot in front, and Apache no `README`. So a name is asked for before it counts as missing (`partial_list`).
//!
//! An object whose size or time the server does not tell is an error. Its version is the etag, else its time and size.

mod index;
mod listing;
mod site;

use std::{any::Any, fmt, sync::Arc};

use async_trait::async_trait;
use futures::StreamExt;
use omnistorage_types::Path;

use self::site::Site;
use super::{
    Backend, Capabilities, Features, ListOptions, Listing, ReadOptions, Reader, Upload, WriteOptions, cloud,
    limited, require_object, walk::Walk,
};
use crate::{Error, ObjectInfo, Result, config::Config};

const KIND: &str = "http";

/// A web server, or a directory of it.
///
/// ```no_run
/// use omnistorage::{Backend, Config, HttpBackend, Path};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let backend = HttpBackend::from_config(Config::from([("endpoint", "https://example.org/mirror")]))?;
/// let info = backend.stat(&Path::parse("README.txt")?).await?;
/// println!("{:?} bytes", info.size);
/// # Ok(())
/// # }
/// ```
pub struct HttpBackend(Arc<Site>);

impl HttpBackend {
    /// From its settings: `endpoint`, which is `https://host[:port]`, or a directory there.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`](crate::ErrorCode::InvalidArgument) naming the key that is missing, unknown or
    /// malformed.
    pub fn from_config(config: Config) -> Result<Self> {
        Site::from_config(config).map(|site| Self(Arc::new(site)))
    }
}

impl fmt::Debug for HttpBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HttpBackend").field(&self.0.endpoint()).finish()
    }
}

#[async_trait]
impl Backend for HttpBackend {
    fn kind(&self) -> &str {
        KIND
    }

    fn capabilities(&self) -> Capabilities {
        let features = Features {
            range_read: true,
            sorted_list: true,
            listed_times: true,
            partial_list: true,
            ..Features::default()
        };
        Capabilities { features, ..Capabilities::default() }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        let opened = async {
            require_object(path)?;
            cloud::read::read(&self.0, path.as_str().to_owned(), path, options).await
        };
        let mut reader = opened.await.map_err(|error| error.at(KIND, path))?;
        let path = path.clone();
        reader.contents =
            reader.contents.map(move |chunk| chunk.map_err(|error| error.at(KIND, &path))).boxed();
        Ok(reader)
    }

    async fn write(&self, path: &Path, _: &WriteOptions) -> Result<Box<dyn Upload>> {
        Err(no_changes().at(KIND, path))
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.0.stat(path).await.map_err(|error| error.at(KIND, path))
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        self.0.check_open().map_err(|error| error.at(KIND, prefix))?;
        Ok(limited(Box::new(Walk::new(Arc::clone(&self.0), prefix.clone(), options)), options.limit))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        paths.iter().map(|path| Err(no_changes().at(KIND, path))).collect()
    }

    async fn close(&self) -> Result<()> {
        self.0.close();
        Ok(())
    }
}

fn no_changes() -> Error {
    Error::unsupported(KIND, "changes: it is there to be read")
}
