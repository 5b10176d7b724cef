"""Makes the wheel of a binary that is built already: python build.py BINARY DIRECTORY THIRD-PARTY

Its parts are put together in a directory of their own, so that nothing of the repository changes.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile


def main(binary: str, directory: str, third_party: str) -> None:
    here = pathlib.Path(__file__).resolve().parent
    repository = here.parents[2]
    with tempfile.TemporaryDirectory() as scratch:
        parts = pathlib.Path(scratch, "parts")
        shutil.copytree(here, parts, ignore=shutil.ignore_patterns("__pycache__"))
        for file in ["Cargo.toml", "LICENSE-MIT", "LICENSE-APACHE"]:
            shutil.copy(repository / file, parts)
        shutil.copy(third_party, parts / "THIRD-PARTY.txt")
        (parts / "bin").mkdir()
        shutil.copy(binary, parts / "bin" / "omnistorage")
        subprocess.run([parts / "bin" / "omnistorage", "precompile", parts / "lib" / "omnistorage"], check=True)
        build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(pathlib.Path(directory).resolve())]
        subprocess.run(build, cwd=parts, check=True)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} BINARY DIRECTORY THIRD-PARTY")
    main(*sys.argv[1:])
