"""How alike two column names are: by their letters, and as abbreviations."""

import re
from functools import cache

import numpy as np

_WORD = re.compile(r"\d+|[^\W\d_]+")
_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_DOUBLE = re.compile(r"(.)\1+")
_VOWELS = set("aeiou")


def tokens(name):
    """Return the words and numbers of a name, in lower case.

    They end at separators, at digits, and where a capital follows: "SqFt_2" is
    ("sq", "ft", "2").
    """
    return tuple(part.lower() for part in _WORD.findall(_CASE.sub(" ", name)))


def similarities(names, ngram_range):
    """Return two matrices (D, D) with entries in [0, 1]: of n-grams, of abbreviations.

    The diagonals are not filled.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = [tokens(name) for name in names]
    letters, short = np.zeros((2, len(names), len(names)))
    if any(words):
        vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=ngram_range)
        rows = vectorizer.fit_transform(" ".join(parts) for parts in words)
        letters = np.clip((rows @ rows.T).toarray(), 0.0, 1.0)
    for i, u in enumerate(words):
        for j in range(i):
            v = words[j]
            if _numbers_differ(u, v):
                letters[i, j] = letters[j, i] = 0.0
            else:
                short[i, j] = short[j, i] = abbreviation(u, v)
    return letters, short


def abbreviation(u, v):
    """Return how much of the longer spelling is kept, 0 if neither abbreviates.

    Parameters
    ----------
    u, v : tuple of str
        Tokens of two names.

    Returns
    -------
    float
        1 where no letter that carries a word is left out.
    """
    if not u or not v or u[0][0] != v[0][0]:
        return 0.0
    found = _aligned(u, v)
    return 0.0 if found is None else found[0] / -found[1]


def _numbers_differ(u, v):
    """Tell whether both names have numbers, and not the same."""
    first, second = ([t for t in name if t.isdigit()] for name in (u, v))
    return bool(first and second and first != second)


@cache
def _weight(token):
    """Return the letters that carry a word: the first twice, then the consonants."""
    letters = _DOUBLE.sub(r"\1", token)
    return 2.0 + sum(letter not in _VOWELS for letter in letters[1:])


def _aligned(u, v):
    """Return (weight kept, -weight of the longer) when all tokens find a partner.

    A token stands for one token of the other name or several that follow each other.
    """
    best: dict = {(0, 0): (0.0, 0.0)}
    for i in range(len(u) + 1):
        for j in range(len(v) + 1):
            if (i, j) not in best:
                continue
            steps = [(i + 1, end) for end in range(j + 1, len(v) + 1)]
            steps += [(end, j + 1) for end in range(i + 2, len(u) + 1)]
            for a, b in steps:
                if a > len(u) or b > len(v):
                    continue
                kept = _kept(u[i:a], v[j:b])
                if kept is not None:
                    whole = max(sum(map(_weight, u[i:a])), sum(map(_weight, v[j:b])))
                    total = best[i, j][0] + min(kept, whole), best[i, j][1] - whole
                    best[a, b] = max(best.get((a, b), total), total)
    return best.get((len(u), len(v)))


def _kept(u, v):
    """Return the weight that one token keeps of the token or tokens it stands for."""
    if len(u) == len(v) == 1:
        if u == v:
            return _weight(u[0])
        short, long = (u[0], v) if len(u[0]) <= len(v[0]) else (v[0], u)
    else:
        short, long = (u[0], v) if len(u) == 1 else (v[0], u)
    if len(short) < 2 or short.isdigit():
        return None
    return _split(short, long)


@cache
def _split(short, words):
    """Return the largest weight of parts of ``short``, one for each word, or None.

    A part begins like its word and leaves out letters of it.
    """
    word, *rest = words
    if not short or short[0] != word[0]:
        return None
    if not rest:
        return _weight(short) if _is_subsequence(short, word) else None
    found = [
        _weight(short[:cut]) + after
        for cut in range(1, len(short))
        if _is_subsequence(short[:cut], word)
        and (after := _split(short[cut:], tuple(rest))) is not None
    ]
    return max(found, default=None)


def _is_subsequence(part, word):
    """Tell whether the letters of ``part`` come in ``word`` in this order."""
    letters = iter(word)
    return all(letter in letters for letter in part)
