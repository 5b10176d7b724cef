//! `--explain`: what a run would make of one path, and why.

use serde::Serialize;

use super::{
    exit::{Failure, Subject},
    output::{Output, printable},
    session::Session,
};
use crate::{
    Error, Path,
    runtime::{Action, Explanation},
};

#[derive(Serialize)]
struct ExplanationJson<'a> {
    event: &'static str,
    path: &'a str,
    included: bool,
    ruling: &'a str,
    action: Option<&'static str>,
    reason: &'a str,
}

/// Takes a path as it is typed: a `/` at the end does not count.
pub(crate) fn parse_path(text: &str) -> Result<Path, String> {
    Path::parse(text.strip_suffix('/').unwrap_or(text)).map_err(|error| error.to_string())
}

/// Tells what a run would make of a path, as its command has it explained, and does nothing else.
pub(crate) fn tell(
    session: &Session,
    path: &Path,
    explanation: Result<Explanation, Error>,
    json: bool,
) -> Result<(), Failure> {
    let explanation = explanation.map_err(session.failure(Subject::Trees))?;
    let mut output = Output::new();
    if json {
        output.json(&ExplanationJson {
            event: "explanation",
            path: path.as_str(),
            included: explanation.included,
            ruling: &explanation.ruling,
            action: explanation.action.map(Action::as_str),
            reason: &explanation.reason,
        })?;
    } else {
        let path = printable(path.as_str());
        output.line(&format!("filter: `{path}`: {}", explanation.ruling))?;
        let what = explanation.action.map_or("nothing", Action::as_str);
        output.line(&format!("action: {what}: {}", explanation.reason))?;
    }
    output.flush()
}
