"""What the scripts' command lines share: the parser, flags from dataclasses, and errors as one line."""

import argparse
import errno
import math
import shutil
import signal
import sys
import textwrap
import threading
from dataclasses import MISSING, fields
from functools import partial
from pathlib import Path

from synth.counts import MAX_COUNT, parse_count, parse_digits
from synth.errors import RequestError, RunError
from synth.filters import FILTERS
from synth.images import MAX_SIDE

_HELP_WIDTH = 100
_SEEDS = 2**31
_LONGEST_ERROR = 1000  # characters; argparse repeats what it can't read, however long it is


class Parser(argparse.ArgumentParser):
    """Prints a wrong use as one line, without the usage, and exits with 2."""

    def error(self, message):
        self.exit(2, f"{self.prog}: error: {message:.{_LONGEST_ERROR}}\n")


def add_flag(group, config_class, name, help, *, flag=None, **options):
    """Add `--name`, whose default is that of the dataclass field."""
    field = next(field for field in fields(config_class) if field.name == name)
    default = field.default if field.default is not MISSING else field.default_factory()
    if default is False:
        options["action"] = "store_true"
    elif default not in (None, "", ()):
        shown = " ".join(map(str, default)) if isinstance(default, tuple) else default
        help = f"{help} (default: {shown})"
    group.add_argument(f"--{flag or name.replace('_', '-')}", dest=name, default=default, help=help, **options)


def add_data_flags(parser, config_class, *, classes="names or numbers to keep, as 3,Sneaker (default: all)"):
    """Add the flags that say which real images are meant; --real-per-class where the config has it."""
    group = parser.add_argument_group("data")
    add_flag(group, config_class, "data", "mnist, fashion_mnist, mnist5k, a .csv, a .npz or a folder (default: found)")
    add_flag(group, config_class, "classes", classes, metavar="NAMES")
    if "real_per_class" in config_class.__dataclass_fields__:
        help = "train images per class, as 300 or Sneaker:100 or one for each class (default: all)"
        add_flag(group, config_class, "real_per_class", help, type=parse_number_or_text, metavar="N")
    add_flag(
        group, config_class, "image_size", "resize to (default: as they are)", type=parse_image_size, metavar="H[,W]"
    )
    help = "of a CSV's rows, where not square"
    add_flag(group, config_class, "image_shape", help, type=parse_image_shape, metavar="H,W,C")
    return group


def add_filter_flags(group, config_class):
    """Add the flags that say which of a GAN's images are kept, and how various they are."""
    help = "what rejects images; auto is classifier, or discriminator for a single class"
    add_flag(group, config_class, "filter", help, choices=FILTERS)
    help = "fraction that the discriminator keeps, with filters discriminator and both"
    add_flag(group, config_class, "keep", help, type=float, metavar="F")
    help = "of the class, by the classifier, with filters classifier and both"
    add_flag(group, config_class, "min_probability", help, type=float, metavar="P")
    help = "grey levels (root mean square) up to which two images are the same; 0: off"
    add_flag(group, config_class, "duplicate_distance", help, type=float, metavar="D")
    help = "the standard deviation of each latent is drawn from 1 to this: more variety, more to reject"
    add_flag(group, config_class, "latent_std", help, type=float, metavar="S")


def add_run_flags(parser, config_class, overwrite="replace a run with other options", out="output folder"):
    """Add the flags that every script has."""
    group = parser.add_argument_group("run")
    add_flag(group, config_class, "out", out, metavar="DIR")
    add_flag(group, config_class, "seed", "of everything random", type=int, metavar="N")
    add_flag(group, config_class, "overwrite", overwrite)
    add_flag(group, config_class, "dry_run", "print the plan and stop")
    add_flag(group, config_class, "quiet", "print errors alone")
    return group


def check_choices(config, **choices):
    """Raise RequestError for a field that is not among its choices."""
    for name, allowed in choices.items():
        if getattr(config, name) not in allowed:
            raise RequestError(
                f"{_flag(name)} should be one of {', '.join(allowed)}. Got {getattr(config, name)!r} instead."
            )


def check_minima(config, **minima):
    """Raise RequestError for a field below its minimum."""
    for name, minimum in minima.items():
        if getattr(config, name) < minimum:
            raise RequestError(f"{_flag(name)} should be at least {minimum}. Got {getattr(config, name)} instead.")


def check_common(config):
    """Raise RequestError for a seed that NumPy or TensorFlow would refuse, and for an empty text in any field."""
    if not 0 <= config.seed < _SEEDS:
        raise RequestError(f"--seed should be in the range [0, {_SEEDS}). Got {config.seed} instead.")
    for name, value in vars(config).items():
        if any(isinstance(text, str) and not text.strip() for text in (value if isinstance(value, tuple) else [value])):
            raise RequestError(f"{_flag(name)} should not be empty. Is a variable unset that stands in its place?")


def check_positive(config, *names):
    """Raise RequestError for a field that is given (not None) and is not a finite number above 0."""
    for name in names:
        value = getattr(config, name)
        if value is not None and not 0 < value < math.inf:
            raise RequestError(f"{_flag(name)} should be above 0 and finite. Got {value} instead.")


def _flag(name):
    return f"--{name.replace('_', '-')}"


def build_parser(file, doc, usage="[options]"):
    """Build the parser of a script from its path and docstring: a summary, examples, then notes."""
    summary, _, rest = doc.partition("\n\n")
    examples, _, notes = rest.partition("\n\n")
    width = min(shutil.get_terminal_size().columns - 2, _HELP_WIDTH)
    epilog = f"examples:\n{textwrap.indent(textwrap.dedent(examples).strip(), '  ')}\n\n{notes}"
    return Parser(
        prog=Path(file).name,
        usage=f"%(prog)s {usage}",
        description=textwrap.fill(summary, width),
        epilog=epilog,
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=width, max_help_position=30),
    )


def add_commands(parser, commands):
    """Add sub-commands {name: (help, callable (parser) that adds the flags)}; the name is parsed as "command"."""
    options = {"dest": "command", "required": True, "metavar": "COMMAND", "title": "commands"}
    group = parser.add_subparsers(prog=parser.prog, **options)
    for name, (help, add_flags) in commands.items():
        options = {"usage": f"{parser.prog} {name} [options]", "formatter_class": parser.formatter_class}
        add_flags(group.add_parser(name, help=help, description=help, **options))


def parse_config(parser, build, argv=None):
    """Parse the command line and return build(options, a dict); its RequestErrors are wrong uses, too."""
    try:
        return build(vars(parser.parse_args(argv)))
    except RequestError as error:
        parser.error(str(error))


def report_unless(quiet):
    """Return a callable (text) that prints a line at once, or nothing."""
    return (lambda text: None) if quiet else (lambda text: print(text, flush=True))


def parse_image_size(text):
    """Turn "32" or "28,20" into (height, width)."""
    sizes = [parse_digits(part) or 0 for part in text.split(",")]
    if len(sizes) > 2 or min(sizes) < 8 or max(sizes) > MAX_SIDE:
        raise argparse.ArgumentTypeError(
            f"should be SIZE or HEIGHT,WIDTH of at least 8 pixels and at most {MAX_SIDE}. Got {text!r:.80} instead."
        )
    return (sizes[0], sizes[-1])


def parse_image_shape(text):
    """Turn "28,28,1" into (height, width, channels)."""
    sizes = [parse_digits(part) or 0 for part in text.split(",")]
    if len(sizes) != 3 or min(sizes) < 1 or max(sizes) > MAX_SIDE or sizes[2] not in (1, 3):
        raise argparse.ArgumentTypeError(
            f"should be HEIGHT,WIDTH,CHANNELS with 1 or 3 channels and sides of at most {MAX_SIDE} pixels. "
            f"Got {text!r:.80} instead."
        )
    return tuple(sizes)


def parse_number_or_text(text):
    """Turn "300" into a number and leave "Sneaker:100" as it is."""
    number = parse_digits(text)
    return text if number is None or number > MAX_COUNT else number  # what is no count is refused with the others


def positive_int(text):
    """Turn text into an integer of at least 1 and at most MAX_COUNT."""
    try:
        return parse_count(text)
    except RequestError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def run(parser, function, after_interrupt):
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
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        advice = " What is finished is kept: make room and run the same command again." if full else ""
        return _fail(parser, f"{error.strerror or error}: {error.filename or 'while writing'}.{advice}", 1)
    except KeyboardInterrupt:
        return _fail(parser, f"interrupted. {after_interrupt}", 1)
    return 0


def _fail(parser, message, code):
    print(f"{parser.prog}: error: {' '.join(str(message).split())}", file=sys.stderr)
    return code
