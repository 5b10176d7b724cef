//! Decides where the component that the `runtime` feature embeds comes from, and tells the crate by the environment
//! variables `OMNISTORAGE_COMPONENT_WASM` and, for its digest, `OMNISTORAGE_COMPONENT_SHA256`. In this order:
//!
//! 1. the file named by `OMNISTORAGE_COMPONENT`;
//! 2. in the workspace: built from `guest/` by `guest/build.sh`;
//! 3. in the published crate: `component/omnistorage.wasm`, which it brings along.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use sha2::{Digest, Sha256};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_RUNTIME").is_none() {
        return ExitCode::SUCCESS;
    }
    match component().and_then(|path| Ok((fs::read(&path)?, path))) {
        Ok((bytes, path)) => {
            println!("cargo::rustc-env=OMNISTORAGE_COMPONENT_WASM={}", path.display());
            println!("cargo::rustc-env=OMNISTORAGE_COMPONENT_SHA256={:x}", Sha256::digest(bytes));
            // What `precompile` compiles for.
            println!("cargo::rustc-env=PRECOMPILED_FOR={}", env::var("TARGET").unwrap_or_default());
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

fn component() -> Result<PathBuf, Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=OMNISTORAGE_COMPONENT");
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let workspace = package.join("..");

    let path = if let Some(given) = env::var_os("OMNISTORAGE_COMPONENT") {
        // The compiler would take a relative path from the source file's directory.
        workspace.join(given)
    } else if workspace.join("guest/component/Cargo.toml").exists() {
        return build(&workspace);
    } else {
        package.join("component/omnistorage.wasm")
    };
    println!("cargo::rerun-if-changed={}", path.display());
    if path.is_file() { Ok(path) } else { Err(format!("there is no component at {}", path.display()).into()) }
}

fn build(workspace: &Path) -> Result<PathBuf, Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=WASM_TOOLCHAIN");
    for source in ["guest", "wit", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", workspace.join(source).display());
    }

    let script = workspace.join("guest/build.sh");
    let output = PathBuf::from(env::var("OUT_DIR")?).join("omnistorage.wasm");
    let built = Command::new(&script)
        .arg(&output)
        .env("COMPONENT_PROFILE", "component") // as it ships, however the tests build others
        .output()
        .map_err(|error| format!("cannot run {}: {error}", script.display()))?;
    if built.status.success() {
        Ok(output)
    } else {
        for line in String::from_utf8_lossy(&built.stderr).lines() {
            println!("cargo::error={line}");
        }
        Err(format!("the component was not built ({})", built.status).into())
    }
}
