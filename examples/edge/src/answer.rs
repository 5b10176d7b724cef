//! Answers: a status, headers and a body, and the status of each error of the library.

use futures::{Stream, StreamExt, pin_mut};
use omnistorage_application::{Body, Error, ErrorCode, objects::ObjectInfo};
use wasip3::{
    http::types::{ErrorCode as HttpError, Fields, Response, Trailers},
    wit_bindgen::{FutureReader, StreamReader, spawn_local},
    wit_future, wit_stream,
};

use crate::ask::Form;

type Contents = (Option<StreamReader<u8>>, FutureReader<Result<Option<Trailers>, HttpError>>);

/// What is sent back.
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    contents: Option<Contents>,
}

impl Answer {
    pub(crate) fn of(status: u16) -> Self {
        Self { status, headers: Vec::new(), contents: None }
    }

    /// One sentence for a person.
    pub(crate) fn refused(status: u16, why: &str) -> Self {
        Self::of(status).media_type("text/plain; charset=utf-8").bytes(format!("{why}\n").into_bytes())
    }

    pub(crate) fn failed(error: &Error) -> Self {
        let answer = Self::refused(status(error.code), &error.message);
        match error.retry_after_ms {
            Some(wait) => answer.header("retry-after", wait.div_ceil(1000).to_string()),
            None => answer,
        }
    }

    pub(crate) fn not_allowed(form: Form) -> Self {
        let methods = if matches!(form, Form::Records) { "GET, HEAD, PUT, DELETE" } else { "GET, HEAD" };
        Self::refused(405, &format!("this takes {methods}")).header("allow", methods)
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into().into_bytes()));
        self
    }

    pub(crate) fn media_type(self, media_type: &str) -> Self {
        self.header("content-type", media_type)
    }

    pub(crate) fn etag(self, info: &ObjectInfo) -> Self {
        match &info.etag {
            Some(etag) => self.header("etag", format!("\"{etag}\"")),
            None => self,
        }
    }

    pub(crate) fn length(self, length: Option<u64>) -> Self {
        match length {
            Some(length) => self.header("content-length", length.to_string()),
            None => self,
        }
    }

    /// A body of the library as it comes: its stream goes to the host untouched. If the end was not the true one, the
    /// connection is closed before the end of the answer, so the client knows as well.
    pub(crate) fn body(mut self, body: Body) -> Self {
        let (end, ended) = wit_future::new(|| Err(cut_off()));
        spawn_local(async move {
            let word = body.completion.await;
            // A client that left does not want to know.
            let _ = end.write(word.map(|()| None).map_err(broken)).await;
        });
        self.contents = Some((Some(body.contents), ended));
        self
    }

    /// A body that is made here. The same holds for its end.
    pub(crate) fn chunks(mut self, chunks: impl Stream<Item = Result<Vec<u8>, Error>> + 'static) -> Self {
        let (mut writer, contents) = wit_stream::new();
        let (end, ended) = wit_future::new(|| Err(cut_off()));
        spawn_local(async move {
            pin_mut!(chunks);
            let word = loop {
                match chunks.next().await {
                    Some(Ok(chunk)) => {
                        if !writer.write_all(chunk).await.is_empty() {
                            break Err(cut_off());
                        }
                    }
                    Some(Err(error)) => break Err(broken(error)),
                    None => break Ok(None),
                }
            };
            drop(writer);
            let _ = end.write(word).await;
        });
        self.contents = Some((Some(contents), ended));
        self
    }

    pub(crate) fn bytes(self, bytes: Vec<u8>) -> Self {
        let length = bytes.len() as u64;
        self.length(Some(length)).chunks(futures::stream::iter([Ok(bytes)]))
    }

    pub(crate) fn send(self) -> Response {
        let (contents, ended) = self.contents.unwrap_or_else(|| (None, wit_future::new(|| Ok(None)).1));
        // The names are ours; an etag that no header can hold leaves the others out with it.
        let headers = Fields::from_list(&self.headers).unwrap_or_else(|_| Fields::new());
        let (response, _) = Response::new(headers, contents, ended);
        let _ = response.set_status_code(self.status);
        response
    }
}

fn status(code: ErrorCode) -> u16 {
    match code {
        ErrorCode::NotFound => 404,
        ErrorCode::InvalidPath | ErrorCode::InvalidArgument | ErrorCode::Cancelled => 400,
        ErrorCode::PermissionDenied => 403,
        ErrorCode::AlreadyExists | ErrorCode::IsDirectory | ErrorCode::NotDirectory | ErrorCode::NotEmpty => {
            409
        }
        ErrorCode::PreconditionFailed => 412,
        ErrorCode::LimitExceeded => 413,
        ErrorCode::RateLimited => 429,
        ErrorCode::Unsupported => 501,
        ErrorCode::Unavailable | ErrorCode::BackendClosed => 503,
        ErrorCode::Timeout => 504,
        ErrorCode::NoSpace => 507,
        ErrorCode::Corrupted
        | ErrorCode::UnknownBackend
        | ErrorCode::WriterClosed
        | ErrorCode::ReaderClosed
        | ErrorCode::Other => 500,
    }
}

fn broken(error: Error) -> HttpError {
    HttpError::InternalError(Some(error.message))
}

fn cut_off() -> HttpError {
    HttpError::InternalError(Some("the answer was given up".to_owned()))
}
