//! Copies between two backends of this component: by a short way where there is one, else by reading and writing.

use std::collections::HashSet;

use futures::{StreamExt, stream};
use omnistorage::{
    Error, ErrorCode, ObjectInfo, Path, Result,
    backend::{CopyRequest, Handle, WriteOptions, transfer},
};
use omnistorage_types::wit::FromWit;

use crate::wit;

/// Copies of one call by reading and writing, at a time.
const COPIES: usize = 16;

/// Copies one object.
///
/// # Errors
/// As [`Backend::copy_to`](omnistorage::Backend::copy_to) and [`transfer`].
pub(crate) async fn copy(
    from: &Handle,
    source: &Path,
    to: &Handle,
    target: &Path,
    options: &WriteOptions,
) -> Result<ObjectInfo> {
    if !from.must_count_bytes_to(to) {
        match from.backend().copy_to(source, to.backend(), target, options).await {
            Err(error) if error.code() == ErrorCode::Unsupported => {}
            copied => return copied,
        }
    }
    transfer(from.backend(), source, to.backend(), target, options).await
}

/// Copies many. A request that is refused does not keep the others: the results stand in their order.
pub(crate) async fn copy_many(
    from: &Handle,
    requests: Vec<wit::CopyRequest>,
    to: &Handle,
) -> Vec<Result<ObjectInfo>> {
    let names: Vec<_> =
        requests.iter().map(|request| (request.source.clone(), request.target.clone())).collect();
    let checked: Vec<_> = requests.into_iter().map(check).collect();
    let legal: Vec<_> = checked.iter().flatten().cloned().collect();
    let mut short_ways = if legal.is_empty() || from.must_count_bytes_to(to) {
        Vec::new()
    } else {
        from.backend().copy_many(&legal, to.backend()).await
    }
    .into_iter();
    // Of two copies to one target the second must win.
    let targets: HashSet<_> = legal.iter().map(|request| &request.target).collect();
    let at_once = if targets.len() == legal.len() { COPIES } else { 1 };
    let copies = names.into_iter().zip(checked).map(|((source, target), checked)| {
        let short_way = if checked.is_ok() { short_ways.next() } else { None };
        async move {
            let copied = match (checked, short_way) {
                (Err(refused), _) => Err(refused),
                (Ok(_), Some(Ok(copied))) => Ok(copied),
                (Ok(_), Some(Err(error))) if error.code() != ErrorCode::Unsupported => Err(error),
                (Ok(request), _) => {
                    let CopyRequest { source, target, options } = request;
                    copy(from, &source, to, &target, &options).await
                }
            };
            copied.map_err(|error| from.explain_between(error, &source, to, &target))
        }
    });
    stream::iter(copies.collect::<Vec<_>>()).buffered(at_once).collect().await
}

/// The two paths of a call, checked.
///
/// # Errors
/// [`ErrorCode::InvalidPath`]
pub(crate) fn check_both(source: &str, target: &str) -> Result<(Path, Path)> {
    let source = Path::parse(source)?;
    Ok((source, Path::parse(target).map_err(|error| Error::from(error).on_target())?))
}

fn check(request: wit::CopyRequest) -> Result<CopyRequest> {
    let (source, target) = check_both(&request.source, &request.target)?;
    let options = omnistorage_types::WriteOptions::from_wit(request.options)?.into();
    Ok(CopyRequest { source, target, options })
}
