//! The commands that show what is available: `backends`, `features`.

use clap::Args;
use serde::Serialize;

#[cfg(target_family = "wasm")]
use super::threads::{Threads, wait};
use super::{
    Globals,
    exit::{Failure, Subject},
    local::Need,
    output::Output,
    place::Place,
    session::Session,
};
#[cfg(not(target_family = "wasm"))]
use crate::Registry;
#[cfg(target_family = "wasm")]
use crate::runtime::Storage;

/// List the kinds of backends in this build, and the backends of the configuration file
#[derive(Args)]
#[command(after_help = "Examples:\n  omnistorage backends\n  omnistorage backends --json")]
pub(crate) struct Backends {
    /// Print one JSON object a line: `name` (null for a kind) and `kind`
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct BackendJson<'a> {
    name: Option<&'a str>,
    kind: Option<&'a str>,
}

#[cfg(target_family = "wasm")]
impl Backends {
    /// The names of those there are; their kinds are known to themselves alone.
    pub(crate) fn run(self, _: &Globals) -> Result<(), Failure> {
        wait(Threads::One, async {
            let mut output = Output::new();
            for name in &Storage.names().await {
                match self.json {
                    true => output.json(&BackendJson { name: Some(name), kind: None })?,
                    false => output.line(&format!("{name}:"))?,
                }
            }
            output.flush()
        })
    }
}

#[cfg(not(target_family = "wasm"))]
impl Backends {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (registry, configuration) = (Registry::with_builtin(), globals.configuration()?);
        let kinds = registry.names().map(|kind| BackendJson { name: None, kind: Some(kind) });
        let configured =
            configuration.backends().map(|(name, kind)| BackendJson { name: Some(name), kind: Some(kind) });
        let mut output = Output::new();
        for backend in kinds.chain(configured) {
            match backend {
                backend if self.json => output.json(&backend)?,
                BackendJson { name: Some(name), kind } => {
                    output.line(&format!("{name}: ({})", kind.unwrap_or_default()))?;
                }
                BackendJson { name: None, kind } => output.line(kind.unwrap_or_default())?,
            }
        }
        output.flush()
    }
}

/// Tell what the backend of a place can do
#[derive(Args)]
#[command(after_help = "Examples:\n  omnistorage features s3://bucket")]
pub(crate) struct Features {
    /// Print a JSON object: features, hashes, modified_precision_ns
    #[arg(long)]
    json: bool,
    /// Any place of the backend
    #[arg(value_parser = Place::parser())]
    place: Place,
}

#[derive(Serialize)]
struct FeaturesJson {
    features: Vec<&'static str>,
    hashes: Vec<&'static str>,
    modified_precision_ns: Option<u64>,
}

impl Features {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (session, at) = Session::one(globals, &self.place, Need::Contents)?;
        let capabilities =
            session.storage.features(&at.backend).await.map_err(session.failure(Subject::Tree))?;
        let precision = capabilities.modified_precision;
        let known = FeaturesJson {
            features: capabilities
                .features
                .entries()
                .iter()
                .filter_map(|(name, has)| has.then_some(*name))
                .collect(),
            hashes: capabilities.hashes.iter().map(|algorithm| algorithm.as_str()).collect(),
            modified_precision_ns: precision.and_then(|precision| u64::try_from(precision.as_nanos()).ok()),
        };

        let mut output = Output::new();
        if self.json {
            output.json(&known)?;
            return output.flush();
        }
        for feature in known.features {
            output.line(feature)?;
        }
        for hash in known.hashes {
            output.line(&format!("hash {hash}"))?;
        }
        if let Some(precision) = precision {
            output.line(&format!("times to {precision:?}"))?;
        }
        output.flush()
    }
}
