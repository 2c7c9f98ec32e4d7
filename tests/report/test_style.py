from itertools import combinations

import numpy as np
import pytest

from skfed.report._style import DARK, LIGHT, SERIES

# linear light as seen without the green-sensitive or the red-sensitive cones
# (Vienot, Brettel and Mollon 1999)
DEUTAN = np.array(
    [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]
)
PROTAN = np.array(
    [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]
)


def linear(colour):
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(
        values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4
    )


def contrast(a, b):
    """Contrast of two colours by WCAG 2."""
    light = sorted(linear(c) @ [0.2126, 0.7152, 0.0722] for c in (a, b))
    return (light[1] + 0.05) / (light[0] + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_has_a_contrast_of_aa(theme):
    for ground in ("ground", "raised"):
        for text in ("text", "quiet", "link", "bad", "warn", "good"):
            assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground)
    for shade in ("hot", "cold"):
        for text in ("text", "bad"):
            assert contrast(theme[text], theme[shade]) >= 4.5, (text, shade)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_series_stand_out_and_apart(theme):
    colours = [theme[f"s{j}"] for j in range(SERIES)]
    assert all(contrast(colour, theme["ground"]) >= 3 for colour in colours)
    for eye in (np.eye(3), DEUTAN, PROTAN):
        seen = [np.clip(eye @ linear(colour), 0, 1) ** (1 / 2.2) for colour in colours]
        for (i, a), (j, b) in combinations(enumerate(seen), 2):
            assert np.linalg.norm(a - b) > 0.15, (i, j)
