"""What pyproject.toml cannot say: the app's settings, kept once in .streamlit/config.toml, travel in the wheel too."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithSettings(build_py):
    """`core.cli.serve` looks for them there when there is no checkout around it."""

    def run(self) -> None:
        """Copy the sources as always, and the settings beside the pages."""
        super().run()
        if not self.editable_mode:
            self.copy_file(".streamlit/config.toml", str(Path(self.build_lib) / "pages" / "streamlit.toml"))


setup(cmdclass={"build_py": WithSettings})
