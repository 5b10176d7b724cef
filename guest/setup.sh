#!/bin/sh
# Installs what is missing to build the component: a linker and a standard library for wasm32-wasip2. Does nothing when
# nothing is missing. Tries rustup first, then Debian's packages, those as root alone, and else says what to install:
# nobody's password is asked for.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# The lowest version of Debian's rustc-web that can compile this workspace is the workspace's own rust-version.
rust_version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$here/../Cargo.toml")

say() { echo "guest/setup.sh: $*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }

install_packages() {
    if ! has apt-get || [ "$(id -u)" != 0 ]; then return 1; fi
    say "installing $*"
    apt-get update -qq || say "apt-get update failed; trying with the lists that are there"
    # --no-remove: rustc-web takes the place of Debian's rustc, and that is not ours to take away.
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-remove --no-install-recommends "$@" >&2
}

if ! has cargo || ! has rustc; then
    say "Rust $rust_version or newer is needed: install it from https://rustup.rs"
    exit 1
fi
if ! has cc && ! install_packages gcc libc6-dev; then
    say "a C compiler is needed to link: install gcc and libc6-dev, or what your system calls them"
    exit 1
fi

"$here/build.sh" --toolchain >/dev/null 2>&1 && exit

if has rustup && [ "${WASM_TOOLCHAIN:-}" != debian ]; then
    say "adding the target wasm32-wasip2 with rustup"
    rustup target add wasm32-wasip2 >&2 || say "rustup could not add it"
fi
"$here/build.sh" --toolchain >/dev/null 2>&1 && exit

if [ "${WASM_TOOLCHAIN:-}" != rustup ]; then
    install_packages rustc-web rust-web-src wasi-libc || say "Debian's packages were not installed"
fi
if "$here/build.sh" --toolchain; then exit; fi >&2

say "the component cannot be built here. Install one of these, then run \`make setup\` again:
  - rustup (https://rustup.rs), then: rustup target add wasm32-wasip2
  - on Debian, beside a Rust toolchain of https://rustup.rs or https://forge.rust-lang.org:
    sudo apt-get install rustc-web rust-web-src wasi-libc (rustc-web must be $rust_version or newer)"
exit 1
