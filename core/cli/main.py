"""The root of the command line, and what every command shares: how errors look and how a command ends."""

import contextlib
import io
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType

import click

from core import processes
from core.cli.experiments import clinic, frontier, goodhart, tastes
from core.cli.gallery import gallery
from core.cli.models import generate, models
from core.cli.output import PrintableFormatter, say
from core.cli.password import password
from core.cli.preferences import preferences
from core.cli.reward import reward
from core.cli.runs import runs
from core.cli.serve import serve
from core.cli.training import dpo, loop, ppo, pretrain
from core.errors import PlaygroundError, is_panic
from core.threads import wait_briefly

EXIT_FAILED = 1  # the work was begun and failed
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


def _same_name(text: str) -> str:
    """`--max_new_tokens`, `--ppo.updates`: one option, however it is spelt."""
    return text.replace("_", "-").replace(".", "-")


@click.group(
    context_settings={
        "token_normalize_func": _same_name,
        "help_option_names": ["-h", "--help"],
        "max_content_width": 110,
    }
)
def root() -> None:
    """RLHF on a real, small language model: it writes, somebody prefers, a reward model learns, PPO bends the policy.

    Data lies in the folder RLHF_PLAYGROUND_HOME (default: the platform's folder for user data).
    """


for command in (
    models,
    generate,
    pretrain,
    preferences,
    reward,
    ppo,
    dpo,
    loop,
    goodhart,
    frontier,
    clinic,
    tastes,
    runs,
    gallery,
    serve,
    password,
):
    root.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, or another with one line on stderr that says what was wrong."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    wait_briefly()
    _open_missing_streams()
    said = logging.StreamHandler(sys.stderr)
    said.setFormatter(PrintableFormatter())
    logging.basicConfig(handlers=[said])
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal or file that cannot show σ must not end the command
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    for argument in sys.argv[1:] if arguments is None else arguments:
        if not _is_text(argument) and not os.path.exists(argument):
            return _fail(f"{argument!a:.100} is not valid UTF-8: no text is written so", EXIT_BAD_INPUT)
    try:
        with _told_to_end():
            status = root.main(arguments, prog_name="python -m core", standalone_mode=False)
        sys.stdout.flush()
        return int(status or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return EXIT_BAD_INPUT
    except click.UsageError as error:
        where = f" (see `{error.ctx.command_path} --help`)" if error.ctx else ""
        return _fail(error.format_message() + where, error.exit_code)
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except PlaygroundError as error:
        return _fail(str(error), EXIT_BAD_INPUT)
    except BrokenPipeError:  # the reader (`head`) has seen enough; closing stdout again would say so once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except OSError as error:
        return _fail(f"{error.filename or 'system'}: {error.strerror or error}", EXIT_FAILED)
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted", EXIT_INTERRUPTED)
    except BaseException as error:
        if not is_panic(error):
            raise
        return _fail(f"the tokenizer gave up on a text ({error})", EXIT_FAILED)


def _open_missing_streams() -> None:
    """What was closed before we began (`>&-`) takes nothing and gives nothing, and no file of ours gets its number."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            free = os.open(os.devnull, os.O_RDWR)  # the lowest: its own, unless something of ours has taken that
            os.set_inheritable(free, free == number)  # `serve` becomes another program
            setattr(sys, name, os.fdopen(free, mode, encoding="utf-8", closefd=free > number))


@contextlib.contextmanager
def _told_to_end() -> Iterator[None]:
    """A command that is told to end, or whose terminal is closed, ends as with Ctrl-C: what it was writing goes.

    The second time it ends at once. Not where a launcher has started several processes, which wait for each other.
    """
    names = ("SIGTERM", "SIGHUP") if processes.launched() == 1 else ()
    known = [getattr(signal, name) for name in names if hasattr(signal, name)]  # Windows has no SIGHUP
    heard = [number for number in known if signal.getsignal(number) is signal.SIG_DFL]  # nohup ignores one
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        heard = []

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise KeyboardInterrupt

    for number in heard:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, signal.SIG_DFL)


def _is_text(argument: str) -> bool:
    """Whether the shell gave characters, and not bytes that are none."""
    return not any("\ud800" <= character <= "\udfff" for character in argument)


def _fail(message: str, status: int) -> int:
    say("error: " + " ".join(message.split()))
    return status
