//! The command line of omnistorage; all of it is in [`omnistorage::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    omnistorage::cli::main()
}
