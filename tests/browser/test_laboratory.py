"""Goodhart, Frontier and Clinic in a real browser: parts and guesses kept in the link, an experiment of one's own."""

import re

from core.alignment.experiments.failures import FAILURES


def charts(page):
    return page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg")


def test_a_patient_is_examined_guessed_and_named(page):
    page.goto("/clinic")
    charts(page).first.wait_for()
    page.get_by_role("radio", name="Patient 3").or_(page.get_by_text("Patient 3", exact=True)).first.click()
    page.wait_for_url(re.compile("patient=Patient"))
    asked = page.locator(f".st-key-predict-clinic_{FAILURES[2].name}")  # Patient 3's question, not the first one's
    asked.wait_for()
    commit = page.get_by_role("button", name="Commit to it")
    assert commit.is_disabled() and page.get_by_text("What was changed").count() == 0
    asked.get_by_role("radio", name=FAILURES[2].title, exact=True).click()
    commit.click()
    page.get_by_text("As you said.").wait_for()
    command = f"python -m core clinic --failures {FAILURES[2].name}"
    page.get_by_text(command).first.wait_for()
    page.reload()
    page.get_by_text("As you said.").wait_for()  # a revealed patient stays revealed
    page.get_by_text("Patient 4", exact=True).first.click()
    commit.wait_for()  # and the next one is not
    assert page.get_by_text("What was changed").count() == 0


def test_goodharts_parts_are_in_the_link(page):
    page.goto("/goodhart")
    charts(page).first.wait_for()
    page.get_by_text("Best of n", exact=True).first.click()
    page.wait_for_url(re.compile("part=Best"))
    charts(page).first.wait_for()
    claim = page.locator("[data-testid=stMarkdownContainer] p").first.inner_text()
    page.reload()
    charts(page).first.wait_for()
    page.wait_for_function(
        "was => document.querySelector('[data-testid=stMarkdownContainer] p')?.innerText === was", arg=claim
    )


def test_another_beta_moves_the_best_there_is(page):
    page.goto("/frontier?part=A+language+known+whole")
    charts(page).first.wait_for()
    page.get_by_text("exact", exact=False).first.wait_for()
    beta = page.get_by_label("β", exact=True).first
    beta.fill("0.7")
    beta.press("Enter")
    page.wait_for_url(re.compile("beta=0.7"))
    page.get_by_text("At β = 0.7 the optimum").wait_for()
    charts(page).first.wait_for()
