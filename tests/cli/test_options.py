"""Whole numbers, lists and ranges on the command line: one reader, which counts before it writes out."""

import argparse
import tracemalloc

import pytest

from modeconn.cli import main
from modeconn.cli.options import MOST_NUMBERS, positive_integer, positive_integers, seed, seeds

BAD = [
    ("0:1000000000", "at most 10000 numbers"),
    ("1:1000000000", "at most 10000 numbers"),
    (f"0:{10**15}", "at most 10000 numbers"),
    ("0:5000,5001:10000", "at most 10000 numbers"),
    (f"1:{10**30}", "at most 10^15"),
    (str(10**30), "at most 10^15"),
    ("9" * 5000, "expected a whole number"),
    ("3:1", "empty range"),
    ("-1", "at least"),
    ("-3:-1", "at least"),
    ("", "such as 8,32,128"),
    (" ", "such as 8,32,128"),
    (":", "such as 8,32,128"),
    ("1:", "such as 8,32,128"),
    (":3", "such as 8,32,128"),
    ("1:2:3", "such as 8,32,128"),
    ("1,,2", "such as 8,32,128"),
    ("1,", "such as 8,32,128"),
    ("1.5", "expected a whole number"),
    ("1e3", "expected a whole number"),
    ("1_000", "expected a whole number"),
    ("\u0661\u0662", "expected a whole number"),  # Arabic digits
    ("\uff11", "expected a whole number"),  # a fullwidth digit
    ("\u00b2", "expected a whole number"),  # a superscript, which str.isdigit accepts
    ("0x10", "expected a whole number"),
    ("many", "expected a whole number"),
    ("2,2", "one twice"),
    ("1:4,3", "one twice"),
]


@pytest.mark.parametrize("reader", [positive_integers, seeds])
@pytest.mark.parametrize(("text", "said"), BAD)
def test_what_is_no_list_is_refused_before_it_is_written_out(reader, text, said):
    """By construction: the message names the fault, is short, and nothing of the range's size was built."""
    tracemalloc.start()
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        reader(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    expected = "at least 1" if reader is positive_integers and text.startswith("0:") else said
    assert expected in str(caught.value)
    assert len(str(caught.value)) < 160
    assert peak < 2**20


def test_what_is_a_list():
    """Closed form."""
    assert positive_integers("8") == [8]
    assert positive_integers(" 8 , 32 ") == [8, 32]
    assert positive_integers("1:3,8") == [1, 2, 3, 8]
    assert positive_integers("5,1:2") == [5, 1, 2]
    assert seeds("0:3") == [0, 1, 2, 3]
    assert len(seeds(f"0:{MOST_NUMBERS - 1}")) == MOST_NUMBERS
    with pytest.raises(argparse.ArgumentTypeError, match="at least 1"):
        positive_integers("0:2")
    with pytest.raises(argparse.ArgumentTypeError, match="at most"):
        seeds(f"0:{MOST_NUMBERS}")


def test_single_numbers():
    """Closed form: seeds start at 0, counts at 1."""
    assert (seed("0"), positive_integer("+7")) == (0, 7)
    for reader, text in ((seed, "-1"), (positive_integer, "0"), (positive_integer, str(10**30)), (seed, "\u0661")):
        with pytest.raises(argparse.ArgumentTypeError):
            reader(text)


COMMANDS = [
    ["topology", "p.json", "--widths"],
    ["optima", "p.json", "--widths"],
    ["phase-diagram", "--widths"],
    ["train", "--data", "digits", "--width"],
    ["train", "--data", "digits", "--seeds"],
    ["witness", "--n"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: f"{words[0]} {words[-1]}")
@pytest.mark.parametrize("text", ["0:1000000000", f"1:{10**30}", "3:1", "1:", "1,,2", "-1", "\u0661"])
def test_every_command_reads_ranges_this_way(capsys, words, text):
    """By construction: one line that names the option, exit 2."""
    status = main([*words[:-1], f"{words[-1]}={text}"])
    captured = capsys.readouterr()
    assert (status, captured.out, captured.err.count("\n")) == (2, "", 1)
    assert captured.err.startswith(f"modeconn: error: argument {words[-1]}: expected")
