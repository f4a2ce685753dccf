"""The command line in this process: words in, exit code and what was printed out."""

import os
import sys
from dataclasses import dataclass
from functools import cache
from unittest.mock import patch

import typer.main
from typer.testing import CliRunner

# Read once, when trueup.cli is imported: printed words stand alone and whole.
os.environ.update(COLUMNS="200", NO_COLOR="1")
# The commands are put together once: each time anew takes longer than most of them.
typer.main.get_command = cache(typer.main.get_command)


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


class CommandLine:
    """`trueup` against one database."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, *words: object, stdin: str | bytes = "") -> Ran:
        """Run `trueup` with the words, as a person in a pipe would. A crash of the program is raised as it is."""
        argv = ["trueup", *(str(word) for word in words)]
        runner = CliRunner(env={"TRUEUP_DATABASE_URL": self.url})
        with patch.object(sys, "argv", argv), runner.isolation(input=stdin) as printed:
            code = self._code()
            sys.stdout.flush()
            sys.stderr.flush()
            stdout, stderr, _ = (stream.getvalue().decode() for stream in printed)
        return Ran(code, stdout, stderr)

    def _code(self) -> int:
        from trueup.cli.main import main  # noqa: PLC0415 - after the environment is set

        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0)
        return 0
