//! A backend that can be read and not changed.

use std::future::Future;

use super::layer::{Call, Layer};
use crate::{Error, ErrorCode, Result};

/// Refuses every change with [`ErrorCode::PermissionDenied`], as a store without the permission would; so the features
/// stay those of the backend. It can still be the source of copies to another one.
///
/// ```
/// use std::sync::Arc;
/// use omnistorage::{
///     Backend, ErrorCode, MemoryBackend, Path,
///     backend::{layer::Layered, read_only::ReadOnly},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> omnistorage::Result<()> {
/// let backend = Layered::new(Arc::new(MemoryBackend::new()), ReadOnly);
/// let refused = backend.write_all(&Path::parse("a")?, "x".into(), &Default::default()).await;
/// assert_eq!(refused.unwrap_err().code(), ErrorCode::PermissionDenied);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadOnly;

impl Layer for ReadOnly {
    async fn around<T: Send>(
        &self,
        call: Call<'_>,
        run: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        if call.operation.is_change() {
            let message = format!("this backend is read-only: no {} here", call.operation);
            return Err(Error::new(ErrorCode::PermissionDenied, message));
        }
        run.await
    }
}
