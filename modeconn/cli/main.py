"""Dispatch of commands, and the one place where errors become lines and exit codes."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import modeconn
from modeconn.errors import ExitCode, InputError, unknown_name

__all__ = ["COMMANDS", "INTERNAL_ERROR", "INTERRUPTED", "main"]

COMMANDS: dict[str, str] = {
    "verify": "put claims on trial, study real data, write a report",
    "claims": "list the claims, or show one with its statement and controls",
    "replay": "run a stored witness again",
    "barrier": "the exact barrier of the segment between two nets",
    "connect": "the path between two wide nets that keeps loss and region, with a certificate",
    "train": "train a fleet of nets and save them",
    "topology": "components and exact barriers of level sets of narrow nets, with certificates",
    "optima": "global optima of a ridge-regularised problem: certified value, polytope, m*, M*, staircase",
    "witness": "find, certify and train data on which AdamW and Muon end in different components",
    "campaign": "try millions of instances in shards, on processes or a cluster, interrupted and resumed at will",
    "phase-diagram": "where the solutions of AdamW and Muon meet and where they cannot, with certificates",
    "reproduce": "make a figure of a paper or a theorem again, with its tables",
    "check": "check a certificate against a problem, in exact arithmetic",
}
"""Command -> one line of help; each is a module of this package (dashes are underscores) with ``configure(parser)`` and
``run(args)``."""

INTERRUPTED = 130
INTERNAL_ERROR = 70

_EPILOG = """exit status: 0 held, 1 refuted, 2 bad input, 3 undecided"""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see {self.prog} --help")


def _parser() -> tuple[_Parser, argparse._SubParsersAction]:
    parser = _Parser(
        prog="modeconn",
        description="Verify theory about mode connectivity: exact barriers, checked certificates, counterexamples.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"modeconn {modeconn.__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")
    return parser, parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")


def _prepare() -> None:
    """Set what a command line may set and a library may not: 64-bit floats, precise products, one BLAS thread."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_default_matmul_precision", "highest")


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser, commands = _parser()
    named = next((word for word in argv if not word.startswith("-")), None)
    if named is not None and named not in COMMANDS:
        raise unknown_name("command", named, COMMANDS)
    for name, line in COMMANDS.items():
        module = importlib.import_module(f"modeconn.cli.{name.replace('-', '_')}") if name == named else None
        sub = commands.add_parser(
            name,
            help=line,
            description=None if module is None else module.__doc__,
            epilog=_EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if module is not None:
            module.configure(sub)
            sub.set_defaults(run=module.run)
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        prog = " ".join(filter(None, (parser.prog, named)))
        raise InputError(f"unrecognized arguments: {' '.join(unknown)}; see {prog} --help")
    if named is None:
        parser.print_help()
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status (see :class:`modeconn.errors.ExitCode`).

    Example:
        >>> main(["claims", "--json", "no/such/folder/x.json"])
        2
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        args = _arguments(words)
        if args.command is None:
            return int(ExitCode.HELD)
        _prepare()
        return int(args.run(args))
    except KeyboardInterrupt:
        print("modeconn: interrupted; what was finished is on disk", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.HELD)
    except InputError as error:
        print(f"modeconn: error: {' '.join(str(error).split())}", file=sys.stderr)
        return int(ExitCode.BAD_INPUT)
    except MemoryError as error:
        detail = " ".join(str(error).split())[:200]
        print(f"modeconn: error: out of memory{detail and ': '}{detail}; ask for less at once", file=sys.stderr)
        return int(ExitCode.BAD_INPUT)
    except Exception as error:
        if "--debug" in words:
            raise
        print(
            f"modeconn: internal error: {type(error).__name__}: {' '.join(str(error).split())[:300]}; "
            "run again as 'modeconn --debug ...' and report the traceback",
            file=sys.stderr,
        )
        return INTERNAL_ERROR
