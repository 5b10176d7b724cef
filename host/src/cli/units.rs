//! Sizes for people: `-h`, which is no help then, as in ls and du.

use clap::{ArgAction, Args};
use indicatif::HumanBytes;

/// How sizes are written.
#[derive(Args)]
pub(crate) struct Units {
    /// Write sizes with units: KiB, MiB, GiB
    #[arg(long, short = 'h')]
    human_readable: bool,
    /// Print help
    #[arg(id = "help", long = "help", action = ArgAction::Help)]
    _help: Option<bool>,
}

impl Units {
    /// A size as it was asked for.
    pub(crate) fn size(&self, bytes: u64) -> String {
        if self.human_readable { HumanBytes(bytes).to_string() } else { bytes.to_string() }
    }
}
