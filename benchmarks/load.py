"""Many viewers of one server: what a browser's visit asks for, recorded once, replayed by each with think time.

    python -m benchmarks.load HOME [--viewers 10 50 100] [--seconds 60] [--rare 0.25] [--routes]

HOME holds `atlases/`, the demo's first; it is not changed but for its cache. The server is started as the Dockerfile
does (its CMD and thread limits). The visit: open, a head, the next, a token, a search, another map, averages, tokens,
and in a share of the visits (--rare) four exports and the page "Scaling". Each viewer has a browser's cache (what is
immutable is asked for once, the rest with its ETag), six connections, and heads, inputs and words of its own. Prints a
Markdown row for each number of viewers; --routes: the slowest addresses of the last.
"""

import argparse
import asyncio
import json
import os
import random
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import psutil
from playwright.sync_api import Page, Request, sync_playwright

from benchmarks.scene import ARGUMENTS, chromium_path

ROOT = Path(__file__).parents[1]
WORDS = ("river", "bank", "the", "time", "she", "water", "apple", "market", "it", "light", "not", "zebra")
EXPORTS = ("tokens.csv", "coordinates/umap2d.csv", "attention.parquet", "figure/umap2d.html")
RARE = ("exports", "scaling")
THINK = (1.0, 3.0)  # seconds between the steps of a viewer
KEPT = 25.0  # seconds for which a connection is used again; the image closes it after 30
LONGEST = 60.0  # seconds to wait for an answer
ARRIVAL = 10.0  # seconds over which the viewers come
Step = tuple[str, list[dict[str, str]]]  # its name, and method, path and body of each request


@contextmanager
def served(home: Path, log: IO[bytes] | int = subprocess.DEVNULL) -> Iterator[tuple[str, psutil.Process]]:
    """The server of the Dockerfile on a free port; stopped in the end. log: where what it says goes"""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    limits = dict(re.findall(r"\b((?:OMP|OPENBLAS|MKL)_NUM_THREADS|MALLOC_\w+)=(\d+)", text))
    command = json.loads(re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)[-1])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command[command.index("--bind") + 1] = address
    environment = {**os.environ, **limits, "ATLAS_HOME": str(home), "ATLAS_DEMO": "false", "ATLAS_HOST": "0.0.0.0"}
    server = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment,
        stdout=log,
        stderr=log,
    )
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://{address}/readyz", timeout=5).read()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://{address}", psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait()


def record(url: str) -> list[Step]:
    """One visit of a real browser, step by step."""
    steps: list[Step] = []

    def note(request: Request) -> None:
        if request.url.startswith(url):
            path = request.url.removeprefix(url)
            steps[-1][1].append({"method": request.method, "path": path, "body": request.post_data or ""})

    def act(page: Page, script: str) -> None:
        page.evaluate(f"dash_clientside.set_props({script})")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.add_init_script("localStorage.setItem('atlas-tour-seen', '1')")
        page.on("request", note)
        for name, work in (
            ("open", lambda: page.goto(url)),
            ("head", lambda: act(page, "'scene', {head: {layer: 3, head: 5}}")),
            ("next head", lambda: page.locator("#head-right").click()),
            ("token", lambda: act(page, "'scene', {selection: {input: 7, token: 90, side: 'query'}}")),
            ("search", lambda: page.locator("#search-box").fill("river")),
            ("map", lambda: act(page, "'method-select', {value: 'umap'}")),
            ("averages", lambda: act(page, "'panel-tab', {value: 'average'}")),
            ("tokens", lambda: act(page, "'panel-tab', {value: 'tokens'}")),
            ("scaling", lambda: page.goto(f"{url}/scaling")),
        ):
            steps.append((name, []))
            work()
            page.wait_for_load_state("networkidle", timeout=60_000)
            page.wait_for_timeout(1500)
        browser.close()
    payload = next(asked["path"] for _, all_ in steps for asked in all_ if asked["path"].startswith("/payload/"))
    base = "/export/" + "/".join(payload.split("/")[2:4]) + "/self/3/5/"
    steps.insert(-1, ("exports", [{"method": "GET", "path": base + name, "body": ""} for name in EXPORTS]))
    return steps


class Wire:
    """Connections of one viewer, six at most, as plain HTTP/1.1: a client that takes next to nothing of the machine."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = str(parts.hostname), int(parts.port or 80)
        self.open: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.slots = asyncio.Semaphore(6)

    async def ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        """Status and headers of an answer whose body was read and thrown away.

        Raises:
            OSError, EOFError: the connection ended before its answer.
        """
        reader, writer = await self._connection()
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.port}", "Accept-Encoding: gzip, deflate"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"Content-Length: {len(body)}"] if body else []
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            told = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
            status = int(first.split()[1])
            await self._skip(reader, told, status)
        except BaseException:
            writer.close()
            raise
        if told.get("connection", "").lower() == "close":
            writer.close()
        else:
            self.open.append((time.monotonic(), reader, writer))
        return status, told

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self.open:
            used, reader, writer = self.open.pop()
            if time.monotonic() - used < KEPT and not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        return await asyncio.wait_for(asyncio.open_connection(self.host, self.port, limit=1 << 20), LONGEST)

    async def _skip(self, reader: asyncio.StreamReader, told: dict[str, str], status: int) -> None:
        if status in (204, 304):
            return
        if "chunked" in told.get("transfer-encoding", ""):
            while size := int((await reader.readline()).split(b";")[0], 16):
                await reader.readexactly(size + 2)
            await reader.readline()
        else:
            left = int(told.get("content-length", 0))
            while left:
                block = await reader.read(left)
                if not block:
                    raise EOFError("cut short")
                left -= len(block)

    def close(self) -> None:
        for _, _, writer in self.open:
            writer.close()


@dataclass
class Seen:
    """Answers: address, status or the name of what went wrong, seconds.

    steps: what viewers did, as opening a head
    """

    answers: list[tuple[str, str, float]] = field(default_factory=list)
    steps: int = 0

    def quantile(self, share: float) -> float:
        ordered = sorted(seconds for _, _, seconds in self.answers)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Viewer:
    """One person: walks through the steps again and again, elsewhere each time."""

    def __init__(self, number: int, url: str, rare: float, seen: Seen) -> None:
        self.draw = random.Random(number)
        self.wire, self.rare, self.seen = Wire(url), rare, seen
        self.kept: set[str] = set()
        self.tags: dict[str, str] = {}
        self.tab = f"{self.draw.getrandbits(128):032x}"
        self.move()

    def move(self) -> None:
        self.layer, self.head = self.draw.randrange(6), self.draw.randrange(12)
        self.input, self.word = self.draw.randrange(100), self.draw.choice(WORDS)

    def own(self, asked: dict[str, str]) -> tuple[str, str]:
        """Path and body with the viewer's head, input, search and tab."""
        place = f"{self.layer}/{self.head}"
        path = re.sub(r"(/(?:attention|values)/self)/\d+/\d+/\d+", rf"\1/{self.input}/{place}", asked["path"])
        path = re.sub(r"(/(?:agreement|average|live)/self|^/export/.+?/self)/\d+/\d+", rf"\1/{place}", path)
        path = re.sub(r"(/input/self)/\d+", rf"\1/{self.input}", path)
        path = path.replace("q=river", f"q={self.word}")
        body = re.sub(r'"layer":\d+,"head":\d+', f'"layer":{self.layer},"head":{self.head}', asked["body"])
        body = body.replace('"river"', f'"{self.word}"')
        return path, re.sub(r'("property":"data","value":)"[0-9a-f]{32}"', rf'\1"{self.tab}"', body)

    async def ask(self, asked: dict[str, str]) -> None:
        path, body = self.own(asked)
        if asked["method"] == "GET" and path in self.kept:
            return
        headers = {"If-None-Match": self.tags[path]} if path in self.tags else {}
        if body:
            headers["Content-Type"] = "application/json"
        async with self.wire.slots:
            began, told = time.perf_counter(), dict[str, str]()
            try:
                asking = self.wire.ask(asked["method"], path, headers, body.encode())
                code, told = await asyncio.wait_for(asking, LONGEST)
                status = str(code)
            except (OSError, EOFError, ValueError) as error:
                status = type(error).__name__
            self.seen.answers.append((_address(asked), status, time.perf_counter() - began))
        if status == "200" and asked["method"] == "GET":
            if re.search(r"immutable|max-age=[1-9]", told.get("cache-control", "")):
                self.kept.add(path)
            elif "etag" in told:
                self.tags[path] = told["etag"]

    async def walk(self, steps: list[Step], until: float) -> None:
        await asyncio.sleep(self.draw.random() * ARRIVAL)
        while time.monotonic() < until:
            thorough = self.draw.random() < self.rare
            for name, requests in steps:
                if time.monotonic() > until:
                    break
                if name in RARE and not thorough:
                    continue
                if name == "next head":
                    self.move()
                files = [one for one in requests if _is_file(one)]
                for group in (files, [one for one in requests if one not in files]):
                    await asyncio.gather(*map(self.ask, group))
                self.seen.steps += 1
                await asyncio.sleep(self.draw.uniform(*THINK))
        self.wire.close()


def _is_file(asked: dict[str, str]) -> bool:
    """The page and what it loads before it asks for anything."""
    return asked["method"] == "GET" and not asked["path"].startswith(("/payload/", "/export/"))


def _address(asked: dict[str, str]) -> str:
    if asked["body"]:
        output = str(json.loads(asked["body"]).get("output", ""))
        return "POST " + output.strip(".").split("...")[0]
    parts = urlsplit(asked["path"]).path.split("/")
    if parts[1] == "payload":
        return "/payload/…/" + parts[4]
    return "/export/…/" + parts[-1] if parts[1] == "export" else "/" + "/".join(parts[1:3])[:40]


def _is_fine(status: str) -> bool:
    return status in ("200", "204", "304")


def cpu_seconds(server: psutil.Process) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in server.children())


def largest(server: psutil.Process) -> tuple[int, int]:
    """Bytes of the largest worker: resident, and without what it shares, as the mapped files of atlases."""
    found = [one.memory_full_info() for one in server.children()]
    return max(one.rss for one in found), max(one.uss for one in found)


async def crowd(url: str, steps: list[Step], viewers: int, seconds: float, rare: float) -> Seen:
    seen = Seen()
    until = time.monotonic() + seconds
    await asyncio.gather(*(Viewer(number, url, rare, seen).walk(steps, until) for number in range(viewers)))
    return seen


def by_route(seen: Seen) -> None:
    routes: dict[str, list[float]] = defaultdict(list)
    for address, _, seconds in seen.answers:
        routes[address].append(seconds)
    print("\n| address | requests | median s | p95 s |\n|---|--:|--:|--:|")
    for address, all_ in sorted(routes.items(), key=lambda item: -sum(item[1]))[:12]:
        one = sorted(all_)
        print(f"| {address} | {len(one)} | {one[len(one) // 2]:.2f} | {one[int(0.95 * len(one))]:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--viewers", type=int, nargs="+", default=[10, 50, 100])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rare", type=float, default=0.25, help="share of visits with exports and the page Scaling")
    parser.add_argument("--routes", action="store_true")
    options: Any = parser.parse_args()
    print(
        "| viewers | requests | a second | p50 s | p95 s | p99 s | failed | CPU ms a request | CPU ms a step"
        " | cores: server, viewers | MB a worker: resident, own | load |"
    )
    print("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    with served(options.home.resolve()) as (url, server):
        steps = record(url)
        for viewers in options.viewers:
            before, own, began = cpu_seconds(server), time.process_time(), time.monotonic()
            seen = asyncio.run(crowd(url, steps, viewers, options.seconds, options.rare))
            spent, count = time.monotonic() - began, len(seen.answers)
            wrong = sum(not _is_fine(status) for _, status, _ in seen.answers)
            memory = ", ".join(f"{part / 2**20:.0f}" for part in largest(server))
            cpu, own = cpu_seconds(server) - before, time.process_time() - own
            times = " | ".join(f"{seen.quantile(share):.2f}" for share in (0.5, 0.95, 0.99))
            each = f"{cpu / count * 1e3:.1f} | {cpu / seen.steps * 1e3:.0f}"
            cores = f"{cpu / spent:.2f}, {own / spent:.2f}"
            end = f"{wrong} | {each} | {cores} | {memory} | {os.getloadavg()[0]:.1f}"
            print(f"| {viewers} | {count} | {count / spent:.0f} | {times} | {end} |", flush=True)
        if options.routes:
            by_route(seen)
            failed = Counter((address, status) for address, status, _ in seen.answers if not _is_fine(status))
            print("\nfailed:", dict(failed.most_common(9)))


if __name__ == "__main__":
    main()
