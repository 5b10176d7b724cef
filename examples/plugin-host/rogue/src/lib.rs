//! A plugin that tries what it should not.

#![cfg(target_family = "wasm")]

use bindings::omnistorage::storage::backend::{self, Error, ListOptions, ReadOptions};

#[allow(missing_docs, unreachable_pub, unsafe_code, clippy::all, clippy::unwrap_used, clippy::panic)]
mod bindings {
    wit_bindgen::generate!({
        world: "example:plugins/plugin",
        path: ["../../../wit", "../plugin.wit"],
        generate_all,
    });

    export!(Plugin with_types_in self);

    pub struct Plugin;
}

const WHOLE: ReadOptions = ReadOptions { offset: 0, length: None, if_match: None };

impl bindings::Guest for bindings::Plugin {
    async fn run(task: String) -> Result<String, String> {
        attempt(&task).await.map_err(|error| error.message)
    }
}

async fn attempt(task: &str) -> Result<String, Error> {
    match task {
        // The grant is a prefix of what all plugins have in common: is there a way up?
        "read another's" => {
            let own = backend::open("own".to_owned(), Vec::new()).await?;
            let stolen = own.read_all("../tally/today.ndjson".to_owned(), WHOLE, 1 << 20).await?;
            Ok(format!("got {} bytes", stolen.len()))
        }
        "open what was not granted" => {
            backend::open("logs".to_owned(), Vec::new()).await?;
            Ok("it is open".to_owned())
        }
        "open the file system" => {
            let root = ("root".to_owned(), "/".to_owned());
            backend::open("file".to_owned(), vec![root]).await?;
            Ok("it is open".to_owned())
        }
        "take all memory" => {
            let mut taken = Vec::new();
            loop {
                taken.push(vec![1_u8; 1 << 20]);
                std::hint::black_box(&taken);
            }
        }
        "hoard handles" => {
            let own = backend::open("own".to_owned(), Vec::new()).await?;
            let mut listings = Vec::new();
            loop {
                let options = ListOptions {
                    recursive: true,
                    start_after: None,
                    until: None,
                    limit: None,
                    full_info: false,
                };
                listings.push(own.list(String::new(), options).await?);
            }
        }
        "run for ever" => loop {
            std::hint::black_box(task);
        },
        _ => Ok("nothing tried".to_owned()),
    }
}
