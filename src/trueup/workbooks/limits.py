"""The limits under which packed files are opened, all of them for one file."""

from typing import Final

UNPACKED_BYTES: Final = 1 << 30  # what may come out of an archive or a workbook
MEMORY_BYTES: Final = 128 << 20  # what the child process may take over what it begins with ...
NEEDED_TIMES: Final = 4  # ... and so many times what the workbook is when it is unpacked
CPU_SECONDS: Final = 120
SILENT_SECONDS: Final = 150.0  # a child process that says nothing for so long is ended
