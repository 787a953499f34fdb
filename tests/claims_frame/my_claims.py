"""Two nets that share their hidden layer have no barrier between them."""

from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.claims import Claim, Control, Hypothesis, Outcome


def loss(w, a, data):  # of f(x) = sum_j a_j relu(w_j x)
    return sum((sum(a[j] * max(0, w[j] * x) for j in range(len(w))) - y) ** 2 for x, y in data) / Fraction(2)


def check(case):
    (w0, w1), (a0, a1), data = case["w"], case["a"], case["data"]
    middle = [[Fraction(p[j] + q[j], 2) for j in range(len(p))] for p, q in ((w0, w1), (a0, a1))]
    return Outcome(margin=(loss(w0, a0, data) + loss(w1, a1, data)) / 2 - loss(*middle, data))


def any_two(shape):
    weight, label = st.integers(-3, 3), st.integers(-30, 30)
    layers = st.lists(st.lists(weight, min_size=shape[0], max_size=shape[0]), min_size=2, max_size=2)
    data = st.lists(st.tuples(weight, label), min_size=1, max_size=3)
    return st.fixed_dictionaries({"w": layers, "a": layers, "data": data})


def sharing(shape):
    return any_two(shape).map(lambda case: {**case, "w": [case["w"][0]] * 2})


same = Hypothesis("the nets have the same hidden weights", lambda case: case["w"][0] == case["w"][1])
control = Control("any-two", "the same for any two nets", hypotheses=[], instances=any_two)
statement = "L((net_0 + net_1) / 2) <= (L(net_0) + L(net_1)) / 2 for two nets that share w"
CLAIM = Claim("shared-hidden", statement, "own", sharing, [(1,), (2,), (4,)], check, [same], [control])
