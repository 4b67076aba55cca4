"""The command line: every command and option explained, each default said once, errors in one line."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services import __version__
from services.commands.line import COMMANDS, parser

ROOT = Path(__file__).parents[2]


def command(*arguments, home, timeout=300):
    own = {"ATLAS_HOME": str(home), "ATLAS_DEMO": "false", "HF_HUB_OFFLINE": "1", "COLUMNS": "100"}
    environment = {**os.environ, **own}
    return subprocess.run(
        [sys.executable, "app.py", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def subparser(name):
    actions = [action for action in parser(name)._actions if isinstance(action, argparse._SubParsersAction)]
    return actions[0].choices[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained_and_its_default_said_once(name):
    sub = subparser(name)
    text = " ".join(sub.format_help().split())
    for action in sub._actions:
        if action.dest == "help":
            continue
        assert action.help
        words = " ".join(sub._get_formatter()._expand_help(action).split())
        assert words in text
        assert words.count("(default") <= 1
        if action.option_strings and not isinstance(action, argparse._StoreTrueAction):
            assert "default" in words, action.dest
        if action.default not in (None, False, argparse.SUPPRESS):
            assert f"(default: {action.default})" in words


def test_the_help_names_every_command_and_imports_neither_torch_nor_dash(tmp_path):
    said = command("--help", home=tmp_path)
    assert said.returncode == 0
    for name in COMMANDS:
        assert f"\n    {name} " in said.stdout
    code = "import sys, app; sys.argv = ['app.py', '--help']\ntry: app.command()\nexcept SystemExit: pass\n"
    code += "print([name for name in ('torch', 'dash', 'numba', 'transformers') if name in sys.modules])"
    seen = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert seen.strip().endswith("[]")


def test_a_command_or_option_that_is_none_is_one_line_and_exit_code_2(tmp_path):
    for arguments, word in (
        (["frobnicate"], "frobnicate"),
        (["build", "--sede", "1"], "--sede"),
        (["--prot"], "--prot"),
    ):
        said = command(*arguments, home=tmp_path)
        assert said.returncode == 2
        assert len(said.stderr.splitlines()) == 1
        assert word in said.stderr
        assert "--help" in said.stderr


def test_the_version_is_the_one_of_the_package(tmp_path):
    assert command("--version", home=tmp_path).stdout.strip() == f"Attention Atlas {__version__}"


def test_a_port_that_is_none_is_refused_in_one_line(tmp_path):
    said = command("serve", "--port", "70000", home=tmp_path)
    assert said.returncode == 2
    assert said.stderr.strip().endswith("--port must be from 1 to 65535, not 70000.")


def test_verify_says_which_file_of_which_atlas_was_changed(small_atlas, tmp_path):
    whole = command("verify", small_atlas, home=tmp_path)
    assert whole.returncode == 0
    assert "72 heads" in whole.stdout
    copy = tmp_path / "atlases" / "copy"
    shutil.copytree(small_atlas, copy)
    file = copy / "self" / "keys.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    damaged = command("verify", home=tmp_path)  # all atlases of the home folder
    assert damaged.returncode == 2
    assert str(file) in damaged.stderr
    assert len(damaged.stderr.splitlines()) == 1
    file.unlink()
    assert "keys.npy is missing" in command("verify", "copy", home=tmp_path).stderr
    assert command("verify", "nobody", home=tmp_path).returncode == 2


def test_models_lists_what_is_at_hand_and_describes_what_it_loads(tmp_path):
    listed = command("models", home=tmp_path)
    assert listed.returncode == 0
    assert listed.stdout.startswith("minilm ")
    described = command("models", "minilm", home=tmp_path)
    assert described.returncode == 0
    assert "6 layers × 12 heads of 32" in described.stdout
    assert "22.7 million parameters" in described.stdout
    refused = command("models", "no/such/model/at/all", home=tmp_path)
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1


def test_an_atlas_is_exported_and_what_cannot_be_is_said_in_one_line(small_atlas, tmp_path):
    home, target = small_atlas.parents[1], tmp_path / "page"
    said = command("export", "small", "--to", target, "--maps", "pca2d", "--inputs", "1", home=home)
    assert said.returncode == 0, said.stderr
    assert "72 heads, 1 map (pca2d), attention on the first 1 of 12 inputs: at most" in said.stdout
    assert f"Open {target}/index.html." in said.stdout
    for wrong, words in ((("none",), "There is no atlas"), (("small", "--most", "0"), "--most must be at least 1")):
        said = command("export", *wrong, "--dry-run", home=home)
        assert (said.returncode, len(said.stderr.splitlines())) == (2, 1)
        assert words in said.stderr
