"""What ``pip install lens-triage`` brings: two packages, a program, and a demonstration."""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
_NOT_SOURCES = shutil.ignore_patterns(
    ".git", ".venv*", "node_modules", "build", "dist", "*.egg-info", "*-workspace", "artifacts",
    "__pycache__", ".*_cache", "tests",
)  # fmt: skip
_START_S = 120


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "sources", symlinks=True, ignore=_NOT_SOURCES)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", folder, folder / "sources"], check=True)
    (built,) = folder.glob("*.whl")
    return built


def test_it_brings_no_package_that_another_could_have(wheel):
    with zipfile.ZipFile(wheel) as files:
        names = files.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "lens_triage",
        "lensing_core",
    }
    for name in (
        "lens_triage/app/bundles/review.js",
        "lens_triage/training/settings/__init__.py",
        "lensing_core/surveys.toml",
        "lensing_core/datasets/__init__.pyi",
        "lens_triage/docs/GLOSSARY.md",
        "lens_triage/docs/method/scores.md",
        "lens_triage/assets/help/review.webp",
    ):
        assert name in names


@pytest.mark.slow
def test_installed_alone_it_serves_the_pages(wheel, tmp_path):
    """Beside what it depends on, and without the sources: those of this checkout come later."""
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    (own,) = (tmp_path / "env" / "lib").glob("python3*/site-packages")
    command = [sys.executable, "-m", "pip", "--quiet", "--python", python, "install", "--no-deps"]
    subprocess.run([*command, wheel], check=True)
    (own / "dependencies.pth").write_text(
        "".join(f"{path}\n" for path in sys.path if path.endswith("site-packages"))
    )
    environment = {name: v for name, v in os.environ.items() if name != "PYTHONPATH"}
    origin = subprocess.run(
        [python, "-c", "import lens_triage.app.main as m; print(m.__file__)"],
        cwd=tmp_path, env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert Path(origin.stdout.strip()).is_relative_to(own)

    log = tmp_path / "log"
    program = [tmp_path / "env" / "bin" / "lens-triage", "serve", "workspace", "--port", "0"]
    make = [program[0], "init", "workspace"]
    subprocess.run(make, cwd=tmp_path, env=environment, check=True, capture_output=True)
    with log.open("w") as out:
        server = subprocess.Popen(
            program, cwd=tmp_path, env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        url = _address(log, server)
        with urllib.request.urlopen(f"{url}/overview", timeout=60) as page:  # noqa: S310
            assert page.status == 200
            assert b"lens-triage" in page.read()
    finally:
        server.terminate()
        server.wait(20)


def _address(log: Path, server: subprocess.Popen[bytes]) -> str:
    end = time.monotonic() + _START_S
    while time.monotonic() < end and server.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return found.group()
        time.sleep(0.1)
    pytest.fail(f"The server did not start:\n{log.read_text()}")
