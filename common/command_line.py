"""What the scripts' command lines share: the parser, what it reads, and errors as one line."""

import argparse
import errno
import shutil
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import common
from common.counts import MAX_COUNT, parse_count, parse_digits
from common.errors import RequestError, RunError
from common.images import MAX_SIDE, MIN_RESIZED

Result = TypeVar("Result")
Commands = Mapping[str, tuple[str, Callable[[argparse.ArgumentParser], object]]]
_HELP_WIDTH = 100
_LONGEST_ERROR = 1000  # characters; argparse repeats what it can't read, however long it is


class Parser(argparse.ArgumentParser):
    """Prints a wrong use as one line, without the usage, and exits with 2; flags can't be abbreviated."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message:.{_LONGEST_ERROR}}\n")


def build_parser(file: str, doc: str, usage: str = "[options]") -> Parser:
    """Build the parser of a script from its path and docstring: a summary, examples, then notes."""
    summary, _, rest = doc.partition("\n\n")
    examples, _, notes = rest.partition("\n\n")
    width = min(shutil.get_terminal_size().columns - 2, _HELP_WIDTH)
    epilog = f"examples:\n{textwrap.indent(textwrap.dedent(examples).strip(), '  ')}\n\n{notes}"
    parser = Parser(
        prog=Path(file).name,
        usage=f"%(prog)s {usage}",
        description=textwrap.fill(summary, width),
        epilog=epilog,
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=width, max_help_position=30),
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {common.__version__}")
    return parser


def add_commands(parser: Parser, commands: Commands) -> None:
    """Add sub-commands {name: (help, callable (parser) that adds the flags)}; the name is parsed as "command"."""
    group = parser.add_subparsers(prog=parser.prog, dest="command", required=True, metavar="COMMAND", title="commands")
    for name, (help, add_flags) in commands.items():
        usage, formatter = f"{parser.prog} {name} [options]", parser.formatter_class
        add_flags(group.add_parser(name, help=help, description=help, usage=usage, formatter_class=formatter))


def parse_config(
    parser: Parser, build: Callable[[dict[str, Any]], Result], argv: Sequence[str] | None = None
) -> Result:
    """Parse the command line and return build(options, a dict); its RequestErrors are wrong uses, too."""
    try:
        return build(vars(parser.parse_args(argv)))
    except RequestError as error:
        parser.error(str(error))


def report_unless(quiet: bool) -> Callable[[str], None]:
    """Return a callable (text) that prints a line at once, or nothing."""
    return (lambda text: None) if quiet else (lambda text: print(text, flush=True))


def parse_image_size(text: str) -> tuple[int, int]:
    """Turn "32" or "28,20" into (height, width)."""
    sizes = [parse_digits(part) or 0 for part in text.split(",")]
    if len(sizes) > 2 or min(sizes) < MIN_RESIZED or max(sizes) > MAX_SIDE:
        raise argparse.ArgumentTypeError(
            f"should be SIZE or HEIGHT,WIDTH of at least {MIN_RESIZED} pixels and at most {MAX_SIDE}. "
            f"Got {text!r:.80} instead."
        )
    return (sizes[0], sizes[-1])


def parse_image_shape(text: str) -> tuple[int, int, int]:
    """Turn "28,28,1" into (height, width, channels)."""
    sizes = [parse_digits(part) or 0 for part in text.split(",")]
    if len(sizes) != 3 or min(sizes) < 1 or max(sizes) > MAX_SIDE or sizes[2] not in (1, 3):
        raise argparse.ArgumentTypeError(
            f"should be HEIGHT,WIDTH,CHANNELS with 1 or 3 channels and sides of at most {MAX_SIDE} pixels. "
            f"Got {text!r:.80} instead."
        )
    return (sizes[0], sizes[1], sizes[2])


def parse_number_or_text(text: str) -> int | str:
    """Turn "300" into a number and leave "Sneaker:100" as it is."""
    number = parse_digits(text)
    return text if number is None or number > MAX_COUNT else number  # what is no count is refused with the others


def positive_int(text: str) -> int:
    """Turn text into an integer of at least 1 and at most MAX_COUNT."""
    try:
        return parse_count(text)
    except RequestError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def run(parser: Parser, function: Callable[[], object], after_interrupt: str) -> int:
    """Call `function` and return 0; show what went wrong as one line: 2 for a wrong request, 1 for a failed run.

    after_interrupt: what to say of a run that Ctrl-C or SIGTERM has ended. Any other error is a defect, and keeps its
    traceback.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a notebook's and a test's streams take every character
            stream.reconfigure(errors="replace")
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        function()
    except RequestError as error:
        return _fail(parser, error, 2)
    except ModuleNotFoundError as error:
        return _fail(parser, f"{error.name} is not installed: pip install -r requirements.txt", 1)
    except RunError as error:
        return _fail(parser, error, 1)
    except MemoryError as error:
        return _fail(parser, f"the memory is full ({error or 'no details'}): take fewer or smaller images.", 1)
    except OSError as error:
        is_numpys = error.errno is None and "requested and" in str(error)  # it tells how much fewer it wrote
        full = is_numpys or error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        advice = " What is finished is kept: make room and run the same command again." if full else ""
        return _fail(parser, f"{error.strerror or error}: {error.filename or 'while writing'}.{advice}", 1)
    except KeyboardInterrupt:
        return _fail(parser, f"interrupted. {after_interrupt}", 1)
    return 0


def _fail(parser: Parser, message: object, code: int) -> int:
    print(f"{parser.prog}: error: {' '.join(str(message).split())}", file=sys.stderr)
    return code


def print_plan(plan: dict[str, str], quiet: bool, printed: Mapping[str, str] | None = None) -> None:
    """Print what will be done, {heading: text}, a line each, unless `quiet`; what is `printed` already is left out."""
    new = {heading: text for heading, text in plan.items() if (printed or {}).get(heading) != text}
    print_lines((f"{heading + ':':<12} {text}" for heading, text in new.items()), quiet)


def print_lines(lines: Iterable[str], quiet: bool) -> None:
    """Print lines, unless `quiet`."""
    for line in lines:
        report_unless(quiet)(line)
