"""What operating systems do in different ways: `linux` has Linux's, `others` that of macOS.

Everything else in `system` goes by psutil and POSIX, except for what is made for Linux only: the
command server and preloading, without which commands and programs start afresh, and the locks of
GPUs with CUDA.
"""

import sys

if sys.platform == "linux":
    from caduceus.system.kernel.linux import (
        adopted_orphans,
        boot_id,
        cpu_model,
        end_with_parent,
        mps,
        peak_memory_bytes,
        until_end,
    )
else:
    from caduceus.system.kernel.others import (
        adopted_orphans,
        boot_id,
        cpu_model,
        end_with_parent,
        mps,
        peak_memory_bytes,
        until_end,
    )

IS_LINUX = sys.platform == "linux"

__all__ = [
    "IS_LINUX",
    "adopted_orphans",
    "boot_id",
    "cpu_model",
    "end_with_parent",
    "mps",
    "peak_memory_bytes",
    "until_end",
]
