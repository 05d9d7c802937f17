"""The root of the command line, and what every command shares: how errors look and how a command ends."""

import io
import logging
import os
import sys
from collections.abc import Sequence

import click

from core.cli.experiments import clinic, frontier, goodhart, tastes
from core.cli.gallery import gallery
from core.cli.models import generate, models
from core.cli.output import say
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
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal or file that cannot show σ must not end the command
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    for argument in sys.argv[1:] if arguments is None else arguments:
        if not _is_text(argument) and not os.path.exists(argument):
            return _fail(f"{argument!a:.100} is not valid UTF-8: no text is written so", EXIT_BAD_INPUT)
    try:
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


def _is_text(argument: str) -> bool:
    """Whether the shell gave characters, and not bytes that are none."""
    return not any("\ud800" <= character <= "\udfff" for character in argument)


def _fail(message: str, status: int) -> int:
    say("error: " + " ".join(message.split()))
    return status
