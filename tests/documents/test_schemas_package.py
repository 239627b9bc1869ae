# SPDX-License-Identifier: MPL-2.0
"""The schemas, the fonts and the files of the pages travel with the package."""

import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
SHOW = "from crossbar.documents.schemas import Schemas; s = Schemas.load(); print(len(s.ids()), s.get('users')['id'])"


def test_an_installed_wheel_has_the_schemas_and_the_fonts(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for folder in ("crossbar", "schemas"):
        shutil.copytree(CHECKOUT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        if (CHECKOUT / name).exists():
            shutil.copy(CHECKOUT / name, source)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(tmp_path / "site"), str(source)], check=True)
    shutil.rmtree(source)

    shown = subprocess.run(
        [sys.executable, "-c", SHOW], cwd=tmp_path / "site", capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == [str(len(list(CHECKOUT.glob("schemas/*.json")))), "users"]
    package = tmp_path / "site" / "crossbar"
    assert (package / "_schemas" / "users.json").is_file()
    fonts = sorted(
        file.name for file in (package / "conversion" / "fonts").iterdir() if file.suffix in (".ttf", ".txt")
    )
    assert fonts == ["NotoSans-Bold.ttf", "NotoSans-Regular.ttf", "OFL.txt"]
    pages, shipped = CHECKOUT / "crossbar" / "pages" / "files", package / "pages" / "files"
    files = {str(file.relative_to(pages)) for file in pages.rglob("*") if file.is_file()}
    assert {str(file.relative_to(shipped)) for file in shipped.rglob("*") if file.is_file()} == files


def test_a_checkout_has_the_schemas():
    shown = subprocess.run([sys.executable, "-c", SHOW], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert shown.stdout.split() == [str(len(list(CHECKOUT.glob("schemas/*.json")))), "users"]
