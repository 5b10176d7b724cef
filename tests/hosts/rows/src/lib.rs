//! The rows of the conformance suite over HTTP, for hosts that only serve: `GET /` lists them, and `GET /BACKEND/ROW` runs
//! one, which says `ok` if its promise is kept.

#![cfg(target_family = "wasm")]

/// What `wit-bindgen` makes of the WIT package.
#[allow(missing_docs, unreachable_pub, unsafe_code, clippy::all, clippy::unwrap_used, clippy::panic)]
mod bindings {
    wit_bindgen::generate!({
        inline: "
            package omnistorage:hosts;

            world rows {
                import omnistorage:storage/conformance@0.1.0;
            }
        ",
        path: "../../../wit",
        world: "omnistorage:hosts/rows",
        generate_all,
    });
}

use bindings::omnistorage::storage::conformance;
use wasip3::{
    http::types::{ErrorCode, Fields, Request, Response},
    wit_bindgen::spawn_local,
    wit_future, wit_stream,
};

struct Rows;

wasip3::http::service::export!(Rows);

impl wasip3::exports::http::handler::Guest for Rows {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let path = request.get_path_with_query().unwrap_or_default();
        let (status, told) = match path.trim_start_matches('/').split_once('/') {
            None => (200, conformance::rows().join("\n")),
            Some((backend, row)) => match conformance::check(row.to_owned(), backend.to_owned()).await {
                Ok(()) => (200, "ok".to_owned()),
                Err(error) => (500, error.message),
            },
        };
        Ok(answer(status, told))
    }
}

fn answer(status: u16, told: String) -> Response {
    let (mut writer, contents) = wit_stream::new();
    let (end, ended) = wit_future::new(|| Ok(None));
    spawn_local(async move {
        writer.write_all(told.into_bytes()).await;
        drop(writer);
        // A client that left does not want to know.
        let _ = end.write(Ok(None)).await;
    });
    let (response, _) = Response::new(Fields::new(), Some(contents), ended);
    let _ = response.set_status_code(status);
    response
}
