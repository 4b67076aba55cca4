"""compose.yaml is valid, and each command in it runs as its user with its environment alone, without Docker."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from services.settings import Settings
from tests.patience import until

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PASSWORD = "only-for-a-test"


def compose_command():
    """Docker's plugin, or the program of its own."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and not subprocess.run([*command, "version"], capture_output=True).returncode:
            return command
    return None


def test_compose_finds_the_file_valid():
    command = compose_command()
    if command is None:
        pytest.skip("no Docker Compose on this machine")
    env = {**os.environ, "ATLAS_REDIS_PASSWORD": PASSWORD}
    for files in ([], ["-f", "compose.yaml", "-f", "deploy/gpu.yaml"]):
        done = subprocess.run([*command, *files, "config", "-q"], cwd=ROOT, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_every_setting_that_it_gives_is_one_and_every_name_stands_for_something():
    known = {f"ATLAS_{name.upper()}" for name in Settings.model_fields}
    for name, service in COMPOSE["services"].items():
        given = {one for one in service.get("environment", {}) if name not in ("proxy", "redis")}
        assert given <= known, name
        assert set(service.get("networks", ())) <= COMPOSE["networks"].keys()
        assert set(service.get("depends_on", {})) <= COMPOSE["services"].keys()
        named = {volume.split(":")[0] for volume in service.get("volumes", ())}
        assert {one for one in named if not one.startswith(".")} <= COMPOSE["volumes"].keys()
        assert service["read_only"] is True
    shown = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}
    assert shown == {"proxy": ["80:80", "443:443"], "demo": ["127.0.0.1:8050:8050"]}


def test_what_the_file_for_a_gpu_changes_is_there_to_be_changed():
    gpu = yaml.safe_load((ROOT / "deploy" / "gpu.yaml").read_text(encoding="utf-8"))
    assert gpu["services"].keys() <= COMPOSE["services"].keys()
    worker = gpu["services"]["worker"]
    assert worker["environment"].keys() <= {f"ATLAS_{name.upper()}" for name in Settings.model_fields}
    assert worker["build"]["args"].keys() == set(re.findall(r"^ARG (TORCH_INDEX|COMPILER)=", DOCKERFILE, re.MULTILINE))
    assert worker["image"] != COMPOSE["services"]["web"]["image"]  # web keeps the one without a GPU's libraries


# --- by hand ----------------------------------------------------------------------------------------------------------


def dockerfile_environment():
    lines = re.search(r"^ENV (PATH=.*?)\nVOLUME", DOCKERFILE, re.MULTILINE | re.DOTALL)[1]
    return dict(one.split("=", 1) for one in lines.replace("\\\n", " ").split())


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def open_python():
    """Our interpreter where every user may run it, read-only: it may lie in a home folder."""
    shown = Path(tempfile.mkdtemp(prefix="python-"))  # never removed with what is in it
    shown.chmod(0o755)
    try:
        bound = subprocess.run(
            ["mount", "--bind", "-o", "ro", sys.base_prefix, shown], capture_output=True, check=False
        )
        if bound.returncode:
            pytest.skip("nothing can be mounted here")
        try:
            yield shown / "bin" / Path(sys.executable).resolve().name
        finally:
            subprocess.run(["umount", "-l", shown], check=True)
    finally:
        shown.rmdir()


@contextmanager
def running(command, uid, gid, env, cwd):
    """A container's first process: another user, nothing of our environment."""
    process = subprocess.Popen(
        command, user=uid, group=gid, extra_groups=[], env=env, cwd=cwd, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.mark.slow
def test_each_command_runs_as_its_user_with_its_environment_alone():
    if os.getuid() or not shutil.which("redis-server"):
        pytest.skip("needs root, to become the containers' users, and redis-server")
    place = Path("/tmp") / f"containers-{os.getpid()}"
    stack = ExitStack()
    interpreter = str(stack.enter_context(open_python()))
    stack.callback(shutil.rmtree, place, ignore_errors=True)
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    web_port, redis_port = free_port(), free_port()
    python = {
        "PYTHONPATH": packages,
        "PATH": f"{Path(interpreter).parent}:/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LD_LIBRARY_PATH": str(Path(interpreter).parents[1] / "lib"),
    }
    given = {name: os.path.expandvars(value) for name, value in COMPOSE["x-atlas"]["environment"].items()}
    env = {
        **dockerfile_environment(),
        **{name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for name, value in given.items()},
        "ATLAS_HOME": str(place / "data"), "NUMBA_CACHE_DIR": str(place / "data/cache/numba"),
        "HF_HOME": str(place / "data/models"), "HOME": str(place / "tmp"), "TMPDIR": str(place / "tmp"),
        "ATLAS_DEMO": "false", "ATLAS_REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:{redis_port}/0",
        "ATLAS_ALLOWED_HOSTS": "localhost,web", **python,
    }  # fmt: skip
    command = json.loads(re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[-1])
    command[command.index("--bind") + 1] = f"127.0.0.1:{web_port}"
    check = json.loads(re.search(r"^HEALTHCHECK .*?CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[1])
    check[2] = check[2].replace(":8050", f":{web_port}")
    redis = COMPOSE["services"]["redis"]
    redis_user, redis_group = map(int, redis["user"].split(":"))
    redis_command = [one.replace("$$", "$") for one in redis["command"]]
    redis_command[2] = redis_command[2].replace("redis-server", f"redis-server --port {redis_port}")
    redis_env = {"ATLAS_REDIS_PASSWORD": PASSWORD, "PATH": "/usr/bin:/bin"}

    def healthy(arguments, uid, environment):
        return not subprocess.run(arguments, user=uid, env=environment, capture_output=True, check=False).returncode

    with stack:
        for name, uid in (("data", 10001), ("tmp", 10001), ("redis", redis_user)):
            (place / name).mkdir(parents=True)
            os.chown(place / name, uid, -1)
        stack.enter_context(running(redis_command, redis_user, redis_group, redis_env, place / "redis"))
        ping = redis["healthcheck"]["test"][1].replace("$$", "$").replace("redis-cli", f"redis-cli -p {redis_port}")
        until(lambda: healthy(["sh", "-c", ping], redis_user, redis_env))
        worker = COMPOSE["services"]["worker"]["command"]
        at_work = stack.enter_context(running([interpreter, *worker[1:]], 10001, 10001, env, ROOT))
        said = at_work.stdout.readline()
        assert "worker" in said.lower(), said + at_work.stdout.read()
        stack.enter_context(running([interpreter, "-m", *command], 10001, 10001, env, ROOT))
        until(lambda: healthy([interpreter, *check[1:]], 10001, env))
        nobody = {**redis_env, "ATLAS_REDIS_PASSWORD": ""}
        refused = subprocess.run(redis_command, user=redis_user, env=nobody, capture_output=True, text=True)
        assert (refused.returncode, "Set ATLAS_REDIS_PASSWORD" in refused.stdout) == (1, True)
