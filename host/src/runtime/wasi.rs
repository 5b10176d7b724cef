//! What the sandboxes have of WASI: the interfaces that Rust's standard library asks for, in one toolchain or another, with
//! nothing behind them. Sockets are not among them, so a component that asks for those is not even loaded, and a third of
//! the code that all of WASI takes stays out of the program.

use wasmtime::component::Linker;
use wasmtime_wasi::{
    WasiView,
    cli::{WasiCli, WasiCliView},
    filesystem::{WasiFilesystem, WasiFilesystemView},
    p2::{
        add_to_linker_proxy_interfaces_async,
        bindings::{cli, filesystem, random},
    },
    random::{WasiRandom, WasiRandomView},
};

/// Adds them to a linker.
///
/// # Errors
/// If the linker already has an interface of that name.
pub(super) fn add_to_linker<T: WasiView>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    // Clocks, random numbers, standard streams, and what reads and writes those.
    add_to_linker_proxy_interfaces_async(linker)?;
    random::insecure_seed::add_to_linker::<T, WasiRandom>(linker, T::random)?;
    cli::environment::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    cli::exit::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    cli::terminal_input::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    cli::terminal_output::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    cli::terminal_stdin::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    cli::terminal_stdout::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    cli::terminal_stderr::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    filesystem::preopens::add_to_linker::<T, WasiFilesystem>(linker, T::filesystem)?;
    filesystem::types::add_to_linker::<T, WasiFilesystem>(linker, T::filesystem)
}
