//! A place that was written with a slash at its end, in a backend with flat names: an object may have the same name
//! there, but is not meant.

use std::future::Future;

use crate::{
    Error, ErrorCode, Path, Result,
    backend::layer::{Call, Layer, Operation},
};

/// Hides the object that has the name of a directory.
#[derive(Debug)]
pub(super) struct Directory(pub(super) Path);

impl Layer for Directory {
    async fn around<T: Send>(
        &self,
        call: Call<'_>,
        run: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let is_about_object = matches!(
            call.operation,
            Operation::Read | Operation::ReadAll | Operation::Exists | Operation::Stat | Operation::Hash
        );
        if is_about_object && *call.path == self.0 {
            return Err(Error::new(ErrorCode::NotFound, "there is no such directory"));
        }
        run.await
    }
}
