//! Moves on WebDAV, in one request each. OpenDAL looks before each move whether the source is there and which
//! directories are missing, which far away takes longer than the move; whoever moves here knows that.

use std::time::Duration;

use ::opendal::{
    Buffer, OperationContext,
    raw::{
        OpRename, build_rooted_abs_path, format_authorization_by_basic, format_authorization_by_bearer,
        normalize_root, percent_encode_path,
    },
};
use http::{Request, StatusCode, header};
use omnistorage_types::Path;

use super::{
    super::retry::{RetryOptions, attempts::Attempts},
    Shared,
    convert::failed,
};
use crate::{Error, ErrorCode, Result, config::Config};

/// Where the moves go, and who asks for them.
pub(super) struct Moves {
    endpoint: String,
    root: String,
    authorization: Option<String>,
    timeout: Duration,
    retry: RetryOptions,
}

impl Moves {
    /// From the settings of a service of WebDAV, which are read as OpenDAL reads them.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] for what can be no credentials.
    pub(super) fn of(mut config: Config, timeout: Duration, retry: RetryOptions) -> Result<Self> {
        let endpoint = config.take("endpoint")?.unwrap_or_default();
        let root = normalize_root(&config.take::<String>("root")?.unwrap_or_default());
        let basic = match config.take::<String>("username")? {
            Some(name) if !name.is_empty() => {
                let password = config.take::<String>("password")?.unwrap_or_default();
                Some(format_authorization_by_basic(&name, &password))
            }
            _ => None,
        };
        let token = config.take::<String>("token")?.filter(|token| !token.is_empty());
        let bearer = token.map(|token| format_authorization_by_bearer(&token));
        let authorization = bearer
            .or(basic)
            .transpose()
            .map_err(|error| Error::new(ErrorCode::InvalidArgument, failed(&error).message()))?;
        Ok(Self { endpoint, root, authorization, timeout, retry })
    }

    fn url(&self, path: &str) -> String {
        format!("{}{}", self.endpoint, percent_encode_path(&build_rooted_abs_path(&self.root, path)))
    }

    fn request(&self, from: &str, to: &str, replaces: bool) -> Result<Request<Buffer>> {
        let mut request = Request::builder().method("MOVE").uri(self.url(from));
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        request =
            request.header("destination", self.url(to)).header("overwrite", if replaces { "T" } else { "F" });
        request.body(Buffer::new()).map_err(|error| Error::new(ErrorCode::InvalidArgument, error.to_string()))
    }

    /// Asks once to move an object to another name, and to replace what is there if it may: an object, or a directory
    /// with all that is in it.
    async fn send(&self, context: &OperationContext, [from, to]: [&Path; 2], replaces: bool) -> Result<()> {
        let request = self.request(from.as_str(), to.as_str(), replaces)?;
        match tokio::time::timeout(self.timeout, context.http_transport().send(request)).await {
            Ok(Ok(answer)) => match answer.status() {
                StatusCode::CREATED | StatusCode::NO_CONTENT | StatusCode::OK => Ok(()),
                status => Err(refusal(status)),
            },
            Ok(Err(error)) => Err(failed(&error)),
            Err(_) => {
                Err(Error::new(ErrorCode::Timeout, "the service did not answer in time: try again later"))
            }
        }
    }
}

impl Shared {
    /// Moves an object of that size to the place of another, or to one where nothing was when that was last asked.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] if the object to be moved is gone, or the directory that it is to be in;
    /// [`ErrorCode::IsDirectory`], [`ErrorCode::Corrupted`].
    pub(super) async fn put_in_place(
        &self,
        from: &Path,
        size: Option<u64>,
        to: &Path,
        is_there: bool,
    ) -> Result<()> {
        let Some(moves) = &self.0.moves else {
            let (from, to) = (from.as_str(), to.as_str());
            let renamed = self.0.calls.rename_dyn(&self.0.context, from, to, OpRename::new()).await;
            return renamed.map(drop).map_err(|error| failed(&error));
        };
        let (mut replaces, mut attempts) = (is_there, Attempts::new(moves.retry));
        loop {
            if replaces {
                // A server may remove the old object before it finds that there is no new one; or that was moved by an
                // attempt whose answer was lost.
                self.require_size(from, size).await?;
            }
            match moves.send(&self.0.context, [from, to], replaces).await {
                Ok(()) => return Ok(()),
                // Somebody else was faster: with an object, which is replaced, or with a directory.
                Err(error) if error.code() == ErrorCode::PreconditionFailed && !replaces => {
                    self.require_no_directory(to).await?;
                    replaces = true;
                }
                // Some say so of what is locked.
                Err(error) if error.code() == ErrorCode::PermissionDenied => {
                    if !attempts.again(None).await {
                        return Err(error);
                    }
                }
                Err(error) => attempts.again_after(error).await?,
            }
        }
    }

    async fn require_size(&self, path: &Path, size: Option<u64>) -> Result<()> {
        let found = self.stat(path).await?.size;
        if found == size {
            return Ok(());
        }
        let [found, size] = [found, size].map(Option::unwrap_or_default);
        let message = format!("{size} bytes were to be put in place and there are {found}");
        Err(Error::new(ErrorCode::Corrupted, message))
    }
}

fn refusal(status: StatusCode) -> Error {
    let (code, message) = match status {
        // The latter for a directory that is missing.
        StatusCode::NOT_FOUND | StatusCode::CONFLICT => {
            (ErrorCode::NotFound, "what is to be moved, or the directory that it is to be in, is gone")
        }
        StatusCode::FORBIDDEN => (ErrorCode::PermissionDenied, "the service does not allow the move"),
        StatusCode::PRECONDITION_FAILED => (ErrorCode::PreconditionFailed, "something else is there"),
        StatusCode::LOCKED => (ErrorCode::Unavailable, "it is locked: try again later"),
        StatusCode::TOO_MANY_REQUESTS => {
            (ErrorCode::RateLimited, "the service asks for fewer requests: try again later")
        }
        StatusCode::NOT_IMPLEMENTED => (ErrorCode::Unsupported, "the service does not move objects"),
        StatusCode::INSUFFICIENT_STORAGE => (ErrorCode::NoSpace, "the service is full"),
        status if status.is_server_error() => {
            let message = format!("the service has a fault ({status}): try again later");
            return Error::new(ErrorCode::Unavailable, message);
        }
        status => return Error::new(ErrorCode::Other, format!("the service answers {status} to a move")),
    };
    Error::new(code, message)
}
