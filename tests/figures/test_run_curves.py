"""Lines of several runs over one band: told apart by colour and dash, the band drawn from its own rows alone."""

from core.figures.curves import curve
from core.figures.named_lines import NamedLine
from core.figures.palette import RUNS
from core.figures.run_curves import run_curves


def test_runs_keep_their_colour_and_dash_and_the_band_lies_below():
    lines = [NamedLine(f"run-{place}", RUNS[place]) for place in range(3)]
    spec = run_curves(lines, dark=True, legend=True)
    band, drawn, hovered = spec["layer"]
    assert band["mark"]["type"] == "area" and "datum.low" in str(band["transform"])
    assert drawn["mark"]["type"] == "line" and "datum.value" in str(drawn["transform"])
    scale = drawn["encoding"]["color"]["scale"]
    assert scale["domain"] == ["run-0", "run-1", "run-2"]
    assert scale["range"] == [RUNS[place].dark for place in range(3)]
    assert len({str(dash) for dash in drawn["encoding"]["strokeDash"]["scale"]["range"]}) == 3
    assert {one["field"] for one in hovered["encoding"]["tooltip"]} == {"line", "step", "value"}
    assert (
        drawn["encoding"]["color"]["legend"]
        and not run_curves(lines[:1], True)["layer"][1]["encoding"]["color"]["legend"]
    )


def test_a_first_measurement_alone_is_a_dot_and_no_other_is():
    _, alone, _ = curve("loss", dark=False)["layer"]
    assert alone["mark"]["type"] == "point"
    assert alone["transform"] == [
        {"joinaggregate": [{"op": "count", "as": "points"}]}, {"filter": "datum.points == 1"},
    ]  # fmt: skip
