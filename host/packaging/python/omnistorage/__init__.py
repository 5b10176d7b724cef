"""Stores and moves data: sync, copy and check between disks and buckets, records, and compression.

Each function runs the command `omnistorage`, which comes with this package, and streams through its pipes. A *place* is what
it is on the command line: a path, `s3://bucket/key`, `gs://bucket/key`, `az://container/key`, a URL of another server, or
`NAME:path` of a configured backend. Options are those of the command, with `_` for `-`:
`sync(a, b, dry_run=True, exclude=["*.part"])`.
"""

from ._compression import Codec, Writer, open_compressed, open_decompressed
from ._errors import Error, LimitReached, NotFound, Refused, Retryable, UsageError
from ._process import Option, Place
from ._records import Converted, convert_records, read_records, write_records
from ._transfer import CheckReport, SyncReport, check, copy, move, sync

__all__ = [
    "CheckReport",
    "Codec",
    "Converted",
    "Error",
    "LimitReached",
    "NotFound",
    "Option",
    "Place",
    "Refused",
    "Retryable",
    "SyncReport",
    "UsageError",
    "Writer",
    "check",
    "convert_records",
    "copy",
    "move",
    "open_compressed",
    "open_decompressed",
    "read_records",
    "sync",
    "write_records",
]
