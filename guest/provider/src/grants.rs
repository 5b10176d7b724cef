//! Which backends there are, by name: those that are there by themselves, and those that the environment describes.
//!
//! `OMNISTORAGE_LOGS_KIND=s3` makes a backend `logs` of the kind `s3`, and `OMNISTORAGE_LOGS_BUCKET=b` is its setting
//! `bucket`, in the way of [`Config::from_variables`]. One of a name that is there by itself takes its place.

use std::{cell::RefCell, collections::BTreeMap, env, sync::Arc};

use omnistorage::{Backend, Config, Error, ErrorCode, Registry, Result};

use crate::kinds;

/// What the variable of a kind ends with.
const KIND: &str = "_KIND";

/// What all variables of backends begin with.
const PREFIX: &str = "OMNISTORAGE_";

thread_local! {
    static GRANTS: Grants = Grants::new();
}

/// What there is, and what of it was opened.
struct Grants {
    kinds: Result<Registry>,
    described: BTreeMap<String, (String, Config)>,
    // A backend is opened once: what one call wrote to memory, another finds there.
    opened: RefCell<BTreeMap<String, Arc<dyn Backend>>>,
}

/// The names, sorted.
pub(crate) fn names() -> Vec<String> {
    GRANTS.with(|grants| grants.described.keys().cloned().collect())
}

/// The backend of a name, and that name: a `/` at either end does not count, so that a place in a file system may be
/// written as one.
///
/// # Errors
/// [`ErrorCode::UnknownBackend`]; what the backend itself finds wrong.
pub(crate) fn open(name: &str) -> Result<Arc<dyn Backend>> {
    GRANTS.with(|grants| grants.open(kinds::name(name)))
}

impl Grants {
    fn new() -> Self {
        let mut described = kinds::by_themselves();
        let variables: Vec<_> = env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        described.extend(from_variables(&variables));
        Self { kinds: kinds::registry(), described, opened: RefCell::default() }
    }

    fn open(&self, name: &str) -> Result<Arc<dyn Backend>> {
        if let Some(backend) = self.opened.borrow().get(name) {
            return Ok(backend.clone());
        }
        let (kind, config) = self.described.get(name).ok_or_else(|| self.unknown(name))?;
        let backend = self.kinds.as_ref().map_err(Error::clone)?.open(kind, config.clone())?;
        self.opened.borrow_mut().insert(name.to_owned(), backend.clone());
        Ok(backend)
    }

    fn unknown(&self, name: &str) -> Error {
        let known: Vec<_> = self.described.keys().map(String::as_str).collect();
        let known =
            if known.is_empty() { "none at all".to_owned() } else { format!("only {}", known.join(", ")) };
        let (name, hint) = (name.escape_debug().to_string(), kinds::hint(name));
        let message = format!("no backend `{name}` was granted, {known}{hint}");
        Error::new(ErrorCode::UnknownBackend, message)
    }
}

/// The backends that variables describe: their names, kinds and settings.
fn from_variables(variables: &[(String, String)]) -> BTreeMap<String, (String, Config)> {
    let names: Vec<_> = variables
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(variable, _)| variable.strip_prefix(PREFIX)?.strip_suffix(KIND))
        .filter(|name| !name.is_empty())
        .collect();
    let described = names.iter().filter_map(|name| {
        // Of `A` and `A_B`, what begins with the longer name is of that.
        let longer: Vec<_> = names.iter().filter(|other| other.starts_with(&format!("{name}_"))).collect();
        let is_own = |variable: &str| {
            let setting = variable.strip_prefix(PREFIX).unwrap_or_default();
            !longer.iter().any(|other| setting.starts_with(&format!("{other}_")))
        };
        let own = variables.iter().filter(|(variable, _)| is_own(variable)).cloned();
        let mut config = Config::from_variables(name, own);
        // Variables are in capitals: one that is not describes nothing.
        let kind = config.take("kind").ok().flatten()?;
        Some((name.to_lowercase(), (kind, config)))
    });
    described.collect()
}
