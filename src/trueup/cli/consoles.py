"""Where commands print. Text from outside cannot act there, whatever prints it.

Three ways lead to a terminal: strings, `Text`, and what Rich makes of tables. Each is made visible before Rich lays it
out, and the result of the layout is checked once more.
"""

import json as json_format
from collections.abc import Iterable
from typing import Any, NoReturn

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.highlighter import JSONHighlighter
from rich.segment import Segment
from rich.style import Style
from rich.text import Text as RichText

from trueup.cli.stopping import nobody_reads
from trueup.model.visible import in_json, visible


class Text(RichText):
    """Rich's text, of any characters. Rich itself drops some characters and obeys others."""

    def __init__(self, text: str = "", style: str | Style = "", **how: Any) -> None:  # noqa: ANN401 - as Rich has it
        super().__init__(visible(text), style, **how)


class SafeConsole(Console, RenderHook):
    """A console that shows everything it is given, and obeys none of it."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, soft_wrap=True, highlight=False, emoji=False, markup=False)
        self.push_render_hook(self)

    def render_str(self, text: str, **how: Any) -> RichText:  # noqa: ANN401 - as Rich has it
        """Make a text of a string; Rich calls this for all strings, those of tables as well."""
        return super().render_str(visible(text), **how)

    def print_json(self, json: str | None = None, **_how: Any) -> None:  # noqa: ANN401 - as Rich has it
        """Print JSON that means the same, and has nothing in it that a terminal obeys."""
        indented = json_format.dumps(json_format.loads(json or "null"), indent=2, ensure_ascii=False)
        shown = in_json(indented)
        self.print(JSONHighlighter()(shown) if self.is_terminal else _Plain(shown), soft_wrap=True)

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Check whatever is printed once it is laid out."""
        return [_Looked(renderable) for renderable in renderables]

    def on_broken_pipe(self) -> NoReturn:
        """End quietly."""
        raise nobody_reads() from None


class _Plain:
    """Text for no terminal: what Rich does to lay lines out and to colour them takes longer than most commands."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Segment(f"{self._text}\n")


class _Looked:
    """Something to be printed, whose text is made visible where that has not been done."""

    def __init__(self, renderable: ConsoleRenderable) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from _looked_at(console.render(self._renderable, options))


def _looked_at(segments: Iterable[Segment]) -> Iterable[Segment]:
    for text, style, control in segments:
        yield Segment(text if control else visible(text), style, control)
