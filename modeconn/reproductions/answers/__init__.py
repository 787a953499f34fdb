"""Known answers of the theory, each beside what the library computes for it now."""

from modeconn.reproductions.answers.answer import HOW, Answer, Found, certified, exact, interval, numerical, sampled
from modeconn.reproductions.answers.narrow import narrow_answers
from modeconn.reproductions.answers.regularised import regularised_answers
from modeconn.reproductions.answers.relatives import relatives_answers
from modeconn.reproductions.answers.star import star_answers
from modeconn.reproductions.answers.wide import wide_answers

__all__ = [
    "HOW",
    "Answer",
    "Found",
    "certified",
    "exact",
    "interval",
    "narrow_answers",
    "numerical",
    "regularised_answers",
    "relatives_answers",
    "sampled",
    "star_answers",
    "wide_answers",
]
