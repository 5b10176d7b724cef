//! The compiled component as a package brings it: a first start without the seconds of a compiler.
//!
//! It is machine code that is run unchecked, as that of the [cache](super::compiled): it is taken only from a directory
//! that this user or the administrator owns, and that nobody else can write to. Wasmtime checks that it was made by this
//! version of it, with these settings, and for instructions that this processor has; otherwise the component is compiled
//! as if there were none.

use std::{fs, io, path::Path};

use wasmtime::{Config, Engine, component::Component};

use super::{COMPONENT, RuntimeOptions, binary::Binary, compiled::run, config, private::Private};
use crate::{Error, ErrorCode, Result};

/// What nearly every server and desktop since 2013 has: level 3 of the x86-64 psABI. The other processors have a common
/// base that is worth compiling for.
#[cfg(target_arch = "x86_64")]
const INSTRUCTIONS: &[&str] = &[
    "has_sse3",
    "has_ssse3",
    "has_sse41",
    "has_sse42",
    "has_popcnt",
    "has_cmpxchg16b",
    "has_avx",
    "has_avx2",
    "has_bmi1",
    "has_bmi2",
    "has_fma",
    "has_lzcnt",
];
#[cfg(not(target_arch = "x86_64"))]
const INSTRUCTIONS: &[&str] = &[];

/// Compiles the component that ships, for any processor of this architecture with the usual instructions, and writes it
/// into a directory, which is made if it is missing. For whoever makes a package: see
/// [`RuntimeOptions::compiled`](super::RuntimeOptions::compiled).
///
/// ```
/// use omnistorage::runtime::{Runtime, RuntimeOptions, precompile};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let directory = tempfile::tempdir()?;
/// precompile(directory.path())?;
/// let mut options = RuntimeOptions::default();
/// options.compiled = Some(directory.path().to_owned());
/// Runtime::new(&options)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`ErrorCode::Other`] if it cannot be compiled; that of the file system if it cannot be written.
#[allow(clippy::disallowed_methods, reason = "a package is made where its maker says")]
pub fn precompile(directory: &Path) -> Result<()> {
    let code = compile().map_err(|error| {
        Error::new(ErrorCode::Other, format!("the component cannot be compiled: {error:#}"))
    })?;
    fs::create_dir_all(directory)?;
    fs::write(directory.join(name(&Binary::shipped())), code)?;
    Ok(())
}

fn compile() -> wasmtime::Result<Vec<u8>> {
    Engine::new(&portable()?)?.precompile_component(COMPONENT)
}

/// The settings of every other engine here, but for the instructions.
#[allow(unsafe_code, reason = "instructions that a processor lacks end a process")]
fn portable() -> wasmtime::Result<Config> {
    let mut config = config(&RuntimeOptions { cache: false, ..RuntimeOptions::default() });
    // A target that is named stands for its oldest processor.
    config.target(env!("PRECOMPILED_FOR"))?;
    for instruction in INSTRUCTIONS {
        // SAFETY: wasmtime runs no code that was compiled for instructions which its processor lacks.
        unsafe { config.cranelift_flag_enable(instruction) };
    }
    Ok(config)
}

/// Loads the component from a directory; `None` if it is not there, cannot be trusted, or is for other machines.
pub(super) fn load(engine: &Engine, binary: &Binary<'_>, directory: &Path) -> Option<Component> {
    let told = |error: &dyn std::fmt::Display| {
        tracing::info!("the compiled component in {} is not used: {error}", directory.display());
    };
    match Private::existing(directory).and_then(|directory| directory.file(&name(binary))) {
        Ok(file) => run(engine, file).inspect_err(|error| told(error)).ok(),
        Err(error) => {
            // That there is none is no news.
            if error.kind() != io::ErrorKind::NotFound {
                told(&error);
            }
            None
        }
    }
}

/// The name of the file: what it was compiled from. Wasmtime knows whether it is its own.
fn name(binary: &Binary<'_>) -> String {
    format!("{}.compiled", binary.digest)
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn what_is_not_its_own_is_as_if_it_were_not_there() {
        let (place, engine) = (tempfile::tempdir().unwrap(), Engine::default());
        let directory = place.path().join("lib");
        assert!(load(&engine, &Binary::shipped(), &directory).is_none(), "there is none");
        assert!(!directory.exists(), "and none is made");
        precompile(&directory).unwrap();
        let engine = Engine::new(&config(&RuntimeOptions::default())).unwrap();
        assert!(load(&engine, &Binary::shipped(), &directory).is_some());
        assert!(
            load(&engine, &Binary::given(b"\0asm\x0d\0\x01\0"), &directory).is_none(),
            "another component"
        );
        let other = Engine::new(Config::new().consume_fuel(true)).unwrap();
        assert!(load(&other, &Binary::shipped(), &directory).is_none(), "another engine");

        let file = directory.join(name(&Binary::shipped()));
        let whole = fs::read(&file).unwrap();
        for damaged in [&b""[..], b"nonsense", &whole[..whole.len() / 2]] {
            fs::remove_file(&file).unwrap();
            fs::write(&file, damaged).unwrap();
            assert!(load(&engine, &Binary::shipped(), &directory).is_none());
        }
        fs::write(&file, &whole).unwrap();
        assert!(load(&engine, &Binary::shipped(), &directory).is_some());
        for open in [&file, &directory] {
            fs::set_permissions(open, Permissions::from_mode(0o777)).unwrap();
            assert!(load(&engine, &Binary::shipped(), &directory).is_none(), "others may write to it");
            fs::set_permissions(open, Permissions::from_mode(0o755)).unwrap();
        }
        assert!(load(&engine, &Binary::shipped(), &directory).is_some());
    }
}
