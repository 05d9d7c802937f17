"""axe-core on every page: no serious and no critical finding.

Light and wide here; both themes and both widths with RLHF_PLAYGROUND_AXE=all pytest tests/browser/test_accessibility.py
"""

import os

import pytest

from core.architecture import ROOT

NOT_OURS = [[".stMetricChart"]]  # Streamlit's own sparkline: its marks have no names, and cannot be given any
NAMES = sorted(path.stem for path in (ROOT / "pages").glob("[!_]*.py"))
AT_ONCE = 5  # tabs
LOOKS = [("light", 1440)] if os.environ.get("RLHF_PLAYGROUND_AXE") != "all" else [
    (scheme, width) for scheme in ("light", "dark") for width in (1440, 800)
]  # fmt: skip


def findings(page) -> list[str]:
    """What axe finds serious or critical, one line an element."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, context={"exclude": NOT_OURS}).response["violations"]
    return [
        f"{one['impact']} {one['id']}: {node['html'][:150]} {node['failureSummary'][:250]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def context(request, browser, served):
    scheme, width = request.param
    context = browser.new_context(
        base_url=served[0], color_scheme=scheme, viewport={"width": width, "height": 900}, reduced_motion="reduce"
    )
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.fixture
def tab(context):
    return context.new_page()


def opened(tab, path: str) -> None:
    tab.goto(path)
    ready(tab)


def ready(tab) -> None:
    tab.get_by_role("heading", level=1).wait_for()
    tab.locator("[data-test-script-state=notRunning]").wait_for()
    tab.bring_to_front()  # a tab behind others neither loads its fonts nor ends its fading
    tab.evaluate("document.fonts.ready.then(() => true)")
    tab.wait_for_function("!document.querySelector('[data-stale=true]')")  # what is drawn anew stands pale until then
    tab.wait_for_timeout(1000)  # charts paint, formulas take their measure and texts fade in


def test_no_page_has_a_serious_finding(context):
    found = {}
    for first in range(0, len(NAMES), AT_ONCE):
        tabs = {name: context.new_page() for name in NAMES[first : first + AT_ONCE]}
        for name, tab in tabs.items():
            tab.goto(f"/{name}", wait_until="commit")  # while one is looked at, the others draw
        for name, tab in tabs.items():
            ready(tab)
            if serious := findings(tab):
                found[name] = serious
            tab.close()
    assert found == {}


def test_the_bar_of_the_tour_and_an_open_map_of_keys_have_none(tab):
    opened(tab, "/glossary?tour=3&word=clip")
    assert findings(tab) == []
    tab.keyboard.press("?")
    tab.get_by_role("dialog", name="Keys").wait_for()
    assert findings(tab) == []


def test_what_cannot_be_read_would_be_found(tab):
    opened(tab, "/keyboard")
    tab.evaluate(
        "document.querySelector('.claim').style.color = '#cfd2d8'; document.querySelector('.claim').style.background = '#ffffff'"
    )
    assert any("color-contrast" in one for one in findings(tab))
