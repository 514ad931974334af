#!/usr/bin/env python3
"""Reference values for internal/evaluation, computed naively from the definitions.

    python3 reference.py > reference.json

Standard library only, nothing of the program: every permutation pattern and
every resample is enumerated, percentiles are read off sorted lists, and sums
are fractions. The inputs come from a linear congruential generator that is
written out below, so that both sides are in this one file.
"""
import itertools
import json
import math
from fractions import Fraction


def lcg(seed):
    state = seed
    while True:
        state = (1103515245 * state + 12345) % 2**31
        yield state


def scores(seed, n, low, high, digits):
    """n decimals as text, between low and high (integers, in units of the last digit)."""
    g = lcg(seed)
    return [f"{(low + (next(g) >> 8) % (high - low + 1)) / 10**digits:.{digits}f}" for _ in range(n)]


def mean(xs):
    return sum(xs, Fraction(0)) / len(xs)


def p95(xs):
    """Nearest rank: the smallest value that at least 95 % are not above."""
    ys = sorted(xs)
    return next(y for i, y in enumerate(ys, 1) if Fraction(i, len(ys)) >= Fraction(95, 100))


def permutation(baseline, candidate, statistic):
    """Exact two-sided p over all ways to swap the two values of each pair that differs."""
    observed = abs(statistic(candidate) - statistic(baseline))
    hits = most = at_most = total = 0
    for swaps in itertools.product(*((False, True) if b != c else (False,) for b, c in zip(baseline, candidate))):
        b = [c if s else b for b, c, s in zip(baseline, candidate, swaps)]
        c = [b if s else c for b, c, s in zip(baseline, candidate, swaps)]
        d = abs(statistic(c) - statistic(b))
        total += 1
        hits += d >= observed
        if d > most:
            most, at_most = d, 0
        at_most += d == most
    return hits / total, at_most / total


def bootstrap(baseline, candidate, statistic):
    """The 2.5 % and 97.5 % points over every resample of the pairs."""
    n = len(baseline)
    deltas = sorted(
        statistic([candidate[i] for i in pick]) - statistic([baseline[i] for i in pick])
        for pick in itertools.product(range(n), repeat=n)
    )
    at = lambda q: deltas[max(0, math.ceil(q * len(deltas)) - 1)]
    return float(at(0.025)), float(at(0.975))


def needed(baseline, candidate):
    d = [float(c - b) for b, c in zip(baseline, candidate)]
    m = sum(d) / len(d)
    sd = math.sqrt(sum((x - m) ** 2 for x in d) / (len(d) - 1))
    return math.ceil(((1.959963984540054 + 0.8416212335729143) * sd / m) ** 2)


def drift(expected, actual):
    """PSI and Jensen-Shannon (bits) over the deciles of expected, half a value added to each bin; KS and its p."""
    xs = sorted(expected)
    edges = []
    for i in range(1, 10):
        e = next(x for k, x in enumerate(xs, 1) if Fraction(k, len(xs)) >= Fraction(i, 10))
        if not edges or e > edges[-1]:
            edges.append(e)

    def shares(values):
        counts = [0.5] * (len(edges) + 1)
        for v in values:
            counts[sum(v > e for e in edges)] += 1
        return [c / sum(counts) for c in counts]

    p, q = shares(expected), shares(actual)
    psi = sum((b - a) * math.log(b / a) for a, b in zip(p, q))
    m = [(a + b) / 2 for a, b in zip(p, q)]
    kl = lambda a, b: sum(x * math.log2(x / y) for x, y in zip(a, b))
    js = (kl(p, m) + kl(q, m)) / 2
    below = lambda values, at: Fraction(sum(v <= at for v in values), len(values))
    ks = max(abs(below(expected, v) - below(actual, v)) for v in list(expected) + list(actual))
    n, k = len(expected), len(actual)
    root = math.sqrt(n * k / (n + k))
    lam = (root + 0.12 + 0.11 / root) * float(ks)
    ksp = 2 * sum((-1) ** (j - 1) * math.exp(-2 * j * j * lam * lam) for j in range(1, 101))
    return {"psi": psi, "js": js, "ks": float(ks), "ks_p": min(1.0, max(0.0, ksp))}


def pair(seed, n, shift, digits, low, high):
    b = scores(seed, n, low, high, digits)
    g = lcg(seed + 1)
    unit = 10**digits
    c = [f"{(round(float(x) * unit) + shift[0] + (next(g) >> 8) % (shift[1] - shift[0] + 1)) / unit:.{digits}f}" for x in b]
    return b, c


def some(seed, n, moved):
    """Latencies of which the longest ones differ."""
    b, c = pair(seed, n, (-4, 30), 0, 100, 190)
    order = sorted(range(n), key=lambda i: (-float(b[i]), i))
    keep = set(order[:moved])
    return b, [x if i in keep else y for i, (x, y) in enumerate(zip(c, b))]


def comparison(name, statistic, b, c, resample=0):
    fb, fc = [Fraction(x) for x in b], [Fraction(x) for x in c]
    p, smallest = permutation(fb, fc, statistic)
    out = {
        "name": name, "statistic": "p95" if statistic is p95 else "mean", "baseline": b, "candidate": c,
        "delta": float(statistic(fc) - statistic(fb)), "p": p, "smallest_p": smallest,
    }
    if statistic is mean:
        out["needed"] = needed(fb, fc)
    if resample:
        out["first"] = resample
        out["low"], out["high"] = bootstrap(fb[:resample], fc[:resample], statistic)
    return out


cases = {
    "comparisons": [
        comparison("coverage, a clear gain", mean, *pair(7, 12, (-1, 4), 2, 80, 92), resample=6),
        comparison("accuracy, nothing to tell", mean, *pair(21, 13, (-3, 3), 2, 85, 95), resample=6),
        comparison("four samples", mean, *pair(5, 4, (1, 5), 2, 80, 90)),
        comparison("latency, slower", p95, *pair(11, 14, (5, 40), 0, 100, 190), resample=6),
        comparison("latency, 25 samples of which 12 differ", p95, *some(43, 25, 12)),
        comparison("latency, mixed", p95, *pair(33, 12, (-30, 30), 0, 100, 190), resample=6),
    ],
    "drifts": [],
}
for name, a, b in [
    ("alike", scores(3, 60, 80, 99, 2), scores(4, 60, 80, 99, 2)),
    ("moved", scores(3, 60, 80, 99, 2), scores(9, 45, 70, 90, 2)),
    ("lengths", scores(17, 80, 200, 900, 0), scores(18, 80, 350, 1100, 0)),
]:
    cases["drifts"].append({"name": name, "expected": a, "actual": b, **drift([Fraction(x) for x in a], [Fraction(x) for x in b])})
print(json.dumps(cases, indent=1))
