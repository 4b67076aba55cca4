"""Kinds of jobs: each is documented, none drags heavy libraries into the web process, a new one is one file."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.jobs.registry import KINDS, job_kind

ROOT = Path(__file__).parents[2]
RECIPE = (ROOT / "docs/recipes/job-kind.md").read_text()
USE = """
import sys, time
from services.jobs.local import LocalJobs
from services.jobs.spec import JobSpec
from services.settings import Settings

jobs = LocalJobs(Settings(home=sys.argv[1], demo=False))
job = jobs.submit(JobSpec("tally", {"atlas": sys.argv[2]}, "ann"))
while (now := jobs.status(job.id)).active:
    time.sleep(0.05)
print(now.state, now.sentence, now.result, [one.title for one in jobs.list()])
"""


@pytest.fixture
def tree(tmp_path):
    """The program with the recipe followed."""
    shutil.copytree(ROOT / "services", tmp_path / "services", ignore=shutil.ignore_patterns("__pycache__"))
    file = next(code for code in re.findall(r"```python\n(.*?)```", RECIPE, re.DOTALL) if "JobKind(" in code)
    (tmp_path / "services/jobs/tally.py").write_text(file)
    registry = tmp_path / "services/jobs/registry.py"
    plain = registry.read_text()
    changed = plain.replace("    LAYOUT,\n)", "    LAYOUT,\n    TALLY,\n)").replace(
        "\n\nKINDS", "\nfrom services.jobs.tally import TALLY\n\nKINDS", 1
    )
    registry.write_text(changed)
    assert len(changed.splitlines()) == len(plain.splitlines()) + 2  # the entry, and where it comes from
    return tmp_path


def run(tree, home, *arguments):
    return subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=tree, env={**os.environ, "ATLAS_HOME": str(home), "PYTHONPATH": ""},
        capture_output=True, text=True, check=False, timeout=170,
    )  # fmt: skip


def test_the_recipe_makes_a_kind_that_runs_from_a_page_and_in_a_terminal(tree, small_atlas, tmp_path):
    home = tmp_path / "home"
    done = run(tree, home, "-c", USE, home, small_atlas)
    assert done.stderr == ""
    tokens = re.search(r"\{'tokens': (\d+)\}", done.stdout)
    assert tokens
    assert int(tokens[1]) > 50
    assert done.stdout.startswith("finished Tally of small is done.")
    assert done.stdout.rstrip().endswith("['Tally of small']")
    typed = run(tree, home, "-m", "services.jobs.run", "tally", f"atlas={small_atlas}")
    assert (typed.returncode, typed.stderr) == (0, "")
    wrong = run(tree, home, "-m", "services.jobs.run", "tally", f"atlas={tmp_path}")
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)
    assert "tally" in run(tree, home, "-m", "services.jobs.run", "--help").stdout


def test_every_kind_is_documented_and_named_once():
    page = (ROOT / "docs/jobs.md").read_text()
    names = re.findall(r"^\| `([a-z]+)` \|.*\|.*\|.*\|.*\|$", page, re.MULTILINE)
    assert names == [kind.name for kind in KINDS]
    assert all(job_kind(kind.name) is kind for kind in KINDS)
    assert all(re.fullmatch(r"[a-z]+", kind.name) for kind in KINDS)  # becomes file names


def test_knowing_the_kinds_loads_no_heavy_library():
    heavy = ("torch", "transformers", "numba", "sklearn", "umap", "openTSNE", "dash", "flask")
    code = f"import sys, services.jobs.registry; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
