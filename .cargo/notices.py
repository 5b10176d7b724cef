"""Writes what the licences of the crates in the binary ask to be handed on with it: their names and texts.

notices.py FILE, or notices.py FILE PACKAGE for the component PACKAGE alone. In the binary are the crates that the command line links and those of the component that is embedded
in it, as Cargo.lock has them; build scripts and macros are not in it. A crate without a licence is an error, and so is
one without its text, unless another crate of the same licence brings that.
"""

import json
import pathlib
import subprocess
import sys

# What is linked: a package, and what it is compiled for (None: this machine).
LINKED = [("omnistorage", None), ("omnistorage-component", "wasm32-wasip2")]
TEXTS = ("licen", "copying", "copyright", "notice", "unlicense")


def cargo(*arguments):
    return subprocess.run(["cargo", *arguments], check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def linked(roots):
    """The names and versions of all crates that are linked."""
    crates = set()
    for package, target in roots:
        tree = ["tree", "--locked", "--package", package, "--edges", "normal,no-proc-macro", "--prefix", "none"]
        tree += ["--target", target] if target else []
        for line in cargo(*tree, "--format", "{p}").splitlines():
            name, version = line.split()[:2]
            crates.add((name, version.removeprefix("v")))
    return crates


def texts(package):
    """The files of a package that are licences or notices, by their names."""
    directory = pathlib.Path(package["manifest_path"]).parent
    files = [path for path in directory.iterdir() if path.is_file() and path.name.lower().startswith(TEXTS)]
    named = package["license_file"] and directory / package["license_file"]
    if named and named not in files:
        files.append(named)
    return [file.read_text("utf-8", "replace").strip() for file in sorted(files)]


def main(out, roots):
    metadata = json.loads(cargo("metadata", "--locked", "--format-version", "1"))
    packages = {(package["name"], package["version"]): package for package in metadata["packages"]}
    ours = set(metadata["workspace_members"])
    crates = [packages[crate] for crate in sorted(linked(roots)) if packages[crate]["id"] not in ours]
    without = [crate["name"] for crate in crates if not (crate["license"] or crate["license_file"])]
    if without:
        sys.exit(f"without a licence: {', '.join(without)}")

    holders = {}  # of one text: many crates have the same
    lines = ["omnistorage holds the work of others:", ""]
    lines += ["Rust's standard library: MIT OR Apache-2.0 (https://github.com/rust-lang/rust)"]
    found = {crate["id"]: texts(crate) for crate in crates}
    told = {crate["license"] for crate in crates if found[crate["id"]]}
    for crate in crates:
        label = f"{crate['name']} {crate['version']}"
        for text in found[crate["id"]]:
            holders.setdefault(text, []).append(label)
        more = ""
        if not found[crate["id"]]:
            if crate["license"] not in told:
                sys.exit(f"the text of the licence of {label} is nowhere: {crate['license']}")
            more = f", by {', '.join(crate['authors']) or 'its authors'}; its licence is among those of others"
        where = crate["repository"] or f"https://crates.io/crates/{crate['name']}"
        lines.append(f"{label}: {crate['license'] or 'see its text'} ({where}){more}")
    for text, labels in holders.items():
        lines += ["", "=" * 80, ", ".join(labels), "=" * 80, "", text]
    pathlib.Path(out).write_text("\n".join(lines) + "\n", "utf-8")
    print(f"{out}: {len(crates)} crates, {len(holders)} texts")


if __name__ == "__main__":
    component = sys.argv[2:]
    main(sys.argv[1], [(package, "wasm32-wasip2") for package in component] or LINKED)
