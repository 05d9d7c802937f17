"""The picture of the clipped objective: its points lie on its curve, and what the clip held is hollow."""

import numpy as np

from core.alignment.ppo_reading.microscope import clip_curve
from core.figures.clipped_objective import Point, clipped_objective


def test_points_lie_on_the_curve_and_the_band_is_the_clips():
    ratios, curve = clip_curve(0.8, 0.2, 0.6)
    points = [
        Point(ratio, min(ratio, 1.2) * 0.8, f"pass {n}", "", ratio <= 1.2) for n, ratio in enumerate((1, 1.1, 1.4))
    ]
    spec = clipped_objective(ratios, curve, [0.8 * ratio for ratio in ratios], points, 0.2, dark=False)
    band, _, plain, objective, drawn = spec["layer"]
    assert band["data"]["values"] == [{"x": 0.8, "x2": 1.2}]
    xs, ys = zip(*((row["x"], row["y"]) for row in objective["data"]["values"]), strict=True)
    for row in drawn["data"]["values"]:
        assert abs(np.interp(row["x"], xs, ys) - row["y"]) < 1e-9
    assert [row["filled"] for row in drawn["data"]["values"]] == ["yes", "yes", "no"]
    assert plain["data"]["values"][-1]["y"] > objective["data"]["values"][-1]["y"]
    across = {layer["encoding"]["x"]["scale"]["domain"][1] for layer in spec["layer"]}
    assert across == {max(ratios)}
