"""The client code's tests under Node, each file a test here, and what `npm ci` of the lint tools relies on."""

import json

import pytest

from tests.node_runtime import ROOT, TESTS, run_node


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_under_node(path):
    done = run_node("--test", path)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "fail 0" in done.stdout


def test_lock_file_fits_package_file_and_names_no_registry():
    wanted = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert packages[""]["devDependencies"] == wanted
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert all("integrity" in package for name, package in packages.items() if name)
