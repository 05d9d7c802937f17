"""The house as drawn is the house as built, and its arrows go one way."""

from core.architecture import ROOMS, ROOT, Import, arrows, document, drawn, imports, violations


def test_no_import_goes_the_wrong_way():
    assert violations(imports()) == []


def test_an_import_that_goes_the_wrong_way_is_named():
    wrong = [
        Import("core.language.sampling", "core.feedback.store"),
        Import("core.figures.curves", "core.runs.store"),
        Import("core.alignment.ppo", "core.runs.journal"),
        Import("core.feedback.store", "streamlit"),
        Import("core.gallery.build", "pages._parts.site"),
    ]
    for one in wrong:
        assert any(one.user in said and one.used in said for said in violations([one])), one
    both = [Import("core.cli.main", "core.gallery"), Import("core.gallery.build", "core.cli.main")]
    assert violations(both) == ["cli and gallery use each other"]
    fine = [
        Import("core.feedback.store", "core.database.engine"),
        Import("pages.label", "streamlit"),
        Import("core.runs.jobs", "core.alignment.ppo"),
    ]
    assert violations(fine) == []


def test_imports_are_read_inside_functions_and_from_the_package_itself(tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "core" / "runs").mkdir(parents=True)
    (tmp_path / "app.py").write_text("import pages.overview\n")
    (tmp_path / "pages" / "overview.py").write_text("def f():\n    from core import runs, errors\n")
    (tmp_path / "core" / "runs" / "store.py").write_text("import core.database.engine as e\n")
    assert arrows(imports(tmp_path)) == {("app", "pages"), ("pages", "runs"), ("runs", "database")}


def test_an_arrow_that_a_longer_way_implies_is_not_drawn():
    assert drawn({("pages", "runs"), ("runs", "alignment"), ("pages", "alignment")}) == [
        ("pages", "runs"),
        ("runs", "alignment"),
    ]


def test_every_folder_of_core_is_a_room():
    folders = {path.name for path in (ROOT / "core").iterdir() if (path / "__init__.py").exists()}
    assert folders <= set(ROOMS), "a new room needs a line in core/architecture.py"


def test_the_drawing_in_docs_is_up_to_date():
    kept = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert kept == document(), "run: python -m core.architecture > docs/architecture.md"
