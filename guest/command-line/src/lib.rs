//! The command line as a component, whose library and backends are imported. What it does is in the crate `omnistorage`, as
//! in a native host; here is how a host starts it.

#![cfg(target_family = "wasm")]
#![warn(clippy::disallowed_methods)]

use std::{
    env,
    io::{Write, stdout},
    iter,
};

use wasip3::cli::{command, exit::exit_with_code};

struct CommandLine;

command::export!(CommandLine);

impl wasip3::exports::cli::run::Guest for CommandLine {
    async fn run() -> Result<(), ()> {
        // Hosts call a program by its file; what it says of itself has its own name.
        let arguments: Vec<_> = iter::once("omnistorage".into()).chain(env::args_os().skip(1)).collect();
        let code = omnistorage::cli::run(arguments);
        // What is not written by now is lost where the code ends the program.
        let _ = stdout().flush();
        if code > 1 {
            exit_with_code(code);
        }
        if code == 0 { Ok(()) } else { Err(()) }
    }
}
