"""What machines the wheel is for: those that the binary in it runs on."""

import re
import subprocess
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags

BINARY = "bin/omnistorage"
# What every machine has that a manylinux tag promises anything of (PEP 600).
PROMISED = re.compile(r"(libc|libm|libdl|libpthread|librt|libgcc_s|ld-linux[-a-z0-9_]*)\.so\.\d+")


def objdump(option: str) -> str:
    return subprocess.run(["objdump", option, BINARY], check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def platform() -> str:
    """The tag of this machine; on Linux with the glibc that the binary was linked against, not the one that is here."""
    here = next(platform_tags())
    if "linux" not in here:
        return here
    needed = re.findall(r"^\s*NEEDED\s+(\S+)", objdump("-p"), re.MULTILINE)
    others = [library for library in needed if not PROMISED.fullmatch(library)]
    if others:
        raise SystemExit(f"the binary needs what not every machine has: {', '.join(others)}")
    versions = {(int(major), int(minor)) for major, minor in re.findall(r"GLIBC_(\d+)\.(\d+)", objdump("-T"))}
    if not versions:
        raise SystemExit("the binary does not tell which glibc it needs")
    major, minor = max(versions)
    machine = re.sub(r"^.*linux_(\d+_\d+_)?", "", here)
    return f"manylinux_{major}_{minor}_{machine}"


class Hook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform()}"
