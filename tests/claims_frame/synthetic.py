"""Tiny claims with known fates, as a user's claims file."""

from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.claims import Claim, Control, Hypothesis, Outcome


def vectors(shape):
    """Return vectors x in [-1, 1]^n."""
    return st.fixed_dictionaries({"x": st.lists(st.floats(-1, 1), min_size=shape[0], max_size=shape[0])})


def total(instance):
    return sum(Fraction(x) for x in instance["x"])


def claim(name, **parts):
    defaults = {
        "statement": f"statement of {name}",
        "source": "synthetic",
        "instances": vectors,
        "shapes": [(1,), (2,), (4,)],
        "check": lambda i: Outcome(2 + len(i["x"]) - float(total(i))),
    }
    return Claim(name, **{**defaults, **parts})


def at_most(bound):
    """Return the check of: the sum of x is at most ``bound``."""
    return lambda i: Outcome(bound - total(i))


def divide(instance):
    return Outcome(1.0 / instance["x"][0])


HALF = Control("half", "sum x <= n / 2", check=lambda i: Outcome(len(i["x"]) / Fraction(2) - total(i)))
ALSO_TRUE = Control("also-true", "sum x <= n", check=lambda i: Outcome(len(i["x"]) - total(i)))

TRUE = claim("true", controls=[HALF])
FALSE = claim("false", statement="sum x <= 1", check=at_most(1))
VACUOUS = claim("vacuous", hypotheses=[Hypothesis("x_1 > 1", lambda i: i["x"][0] > 1)])
ROUNDING = claim("rounding", check=lambda i: Outcome(-1e-17 if i["x"][0] > 0 else 1e-17), confirm=lambda i: False)
UNCONFIRMED = claim("unconfirmed", check=lambda i: Outcome(0.5 - float(total(i))), confirm=lambda i: None)
RAISES = claim("raises", check=divide)
NAN = claim("nan", check=lambda i: Outcome(float("nan")))
SURVIVOR = claim("survivor", controls=[ALSO_TRUE])
CERTIFIED = claim("certified", check=lambda i: Outcome(len(i["x"]) - total(i), certified=True))
PUBLISHED = claim("published", statement="sum x <= 1/2", check=at_most(Fraction(1, 2)), expected="refuted")
SEARCHED = claim(
    "searched",
    statement="sum x <= n, outside [-1, 1]^n too",
    check=lambda i: Outcome(len(i["x"]) - total(i)),
    search=lambda seed, count: [{"x": [1.0 + k]} for k in range(count)],
)

CLAIMS = [
    TRUE, FALSE, VACUOUS, ROUNDING, UNCONFIRMED, RAISES, NAN, SURVIVOR, CERTIFIED, PUBLISHED, SEARCHED,
]  # fmt: skip
