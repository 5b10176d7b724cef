//! A page of a listing, as the store answers it.

use omnistorage_types::Path;
use serde::Deserialize;

use super::attributes::Stored;
use crate::backend::cloud::pages::Page;

/// What a page tells.
pub(super) const FIELDS: &str = "kind,nextPageToken,prefixes,\
                                 items(kind,name,size,generation,contentType,crc32c,md5Hash,metadata,timeCreated)";

/// Proves that an answer is a listing: no other answer has this field with this value.
#[derive(Debug, Deserialize)]
enum Kind {
    #[serde(rename = "storage#objects")]
    Objects,
}

/// A page. Whatever is empty has no field.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    #[serde(rename = "kind")]
    _kind: Kind,
    #[serde(default)]
    items: Vec<Stored>,
    #[serde(default)]
    prefixes: Vec<String>,
    next_page_token: Option<String>,
}

impl Listed {
    /// Whether it shows that there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
            && self.prefixes.is_empty()
            && self.next_page_token.as_ref().is_none_or(String::is_empty)
    }

    /// Whether an object of that key is on the page.
    pub(super) fn holds(&self, key: &str) -> bool {
        self.items.iter().any(|object| object.name == key)
    }

    /// The page.
    pub(super) fn into_page(self) -> Page {
        Page {
            objects: self
                .items
                .into_iter()
                .map(|mut object| (std::mem::take(&mut object.name), object.info(Path::root())))
                .collect(),
            directories: self.prefixes,
            failures: Vec::new(),
            next: self.next_page_token.filter(|token| !token.is_empty()),
        }
    }
}
