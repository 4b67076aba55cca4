"""What a server tells those who watch it: metrics of all its processes, and logs that a machine reads."""

import base64
import json
import logging
import os
import re
import shutil
import sys
import tempfile
import urllib.error
import urllib.request

import pytest
from flask import Flask

from components.server.logs import JsonLines
from components.server.metrics import counts_folder, tell_metrics
from services.access import user_line
from services.errors import AtlasError
from tests.gunicorn_server import two_workers
from tests.patience import until


def get(url, name=None, password="pw"):
    request = urllib.request.Request(url)
    if name:
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_metrics_of_two_workers_are_one_sum_for_admins_and_each_request_is_a_line_of_json(settings):
    users = settings.home / "users"
    users.write_text("\n".join(user_line(name, role, "pw") for name, role in (("ann", "admin"), ("bo", "build"))))
    asked = {"ATLAS_METRICS": "true", "ATLAS_LOG_FORMAT": "json", "ATLAS_AUTH": str(users)}
    with two_workers(settings, **asked) as url:
        assert get(f"{url}/metrics", "bo")[0] == 403
        assert get(f"{url}/metrics")[0] == 401
        for _ in range(20):  # by either worker
            assert get(f"{url}/guide?q=a-secret", "bo")[0] == 200
        status, text = get(f"{url}/metrics", "ann")
    assert status == 200
    found = re.findall(r'atlas_requests_total{route="([^"]*)",status="(\d+)"} (\S+)', text)
    counts = {(route, code): float(n) for route, code, n in found}
    assert counts[("/<path:path>", "200")] >= 20
    assert counts[("/metrics", "403")] == counts[("/metrics", "401")] == 1
    assert 'atlas_request_seconds_count{route="/<path:path>"}' in text
    assert "atlas_atlases 0" in text
    log = settings.home.with_name(f"{settings.home.name}-gunicorn.log")
    lines = until(lambda: [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")])
    [refused] = [line for line in lines if line.get("status") == 403]
    assert (refused["method"], refused["path"], refused["user"]) == ("GET", "/metrics", "bo")
    assert refused["milliseconds"] >= 0
    assert "a-secret" not in log.read_text()


def test_a_line_of_json_holds_the_traceback_and_any_text():
    try:
        raise ValueError("no \u2028 good")
    except ValueError:
        record = logging.getLogger("x").makeRecord("x", logging.ERROR, "f", 1, "it %s\nfailed", ("all",), True)
        record.exc_info = sys.exc_info()
    text = JsonLines().format(record)
    assert "\n" not in text
    line = json.loads(text)
    assert (line["level"], line["message"]) == ("error", "it all\nfailed")
    assert "ValueError" in line["traceback"]


def test_a_home_that_cannot_be_written_is_counted_for_in_a_folder_that_is_the_servers_alone(
    settings, monkeypatch, tmp_path
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    settings.make_folders()
    assert counts_folder(settings).parent == settings.cache / "metrics"
    blocked = settings.model_copy(update={"home": tmp_path / "blocked"})
    (tmp_path / "blocked").touch()
    folder = counts_folder(blocked).parent
    assert (folder.parent, folder.stat().st_mode & 0o777, folder.stat().st_uid) == (tmp_path, 0o700, os.getuid())
    folder.chmod(0o777)
    with pytest.raises(PermissionError, match="not a folder of this user's alone"):
        counts_folder(blocked)
    shutil.rmtree(folder)
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AtlasError, match="counts cannot be written"):
        tell_metrics(Flask("x"), blocked)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_metrics_without_the_library_are_refused_with_how_to_get_it(settings, monkeypatch):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(AtlasError, match="requirements-lab"):
        tell_metrics(Flask("x"), settings)
