"""An atlas that was ordered on a page: the wish checked, its build asked for by the one machinery, and looked after.

An order is kept as `orders/<slug>.json`: the build's arguments, so that it goes on after its job is forgotten; the
upload it reads, so that the two go together; the estimate, to be shown beside what came of it.
"""

import fcntl
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.atlas import SLUG, Atlas, arrays
from services.atlas.library import Library
from services.atlas.schema import AtlasInfo
from services.errors import AtlasError, BuildError, UploadError
from services.jobs.backend import Backend
from services.jobs.builds import BUILD, BuildArguments, processes
from services.jobs.spec import Job, JobSpec, owned
from services.jobs.turns import in_turn
from services.models.device import AUTO
from services.models.memory import available_bytes, readable
from services.models.outline import Part
from services.pipeline.lock import build_lock
from services.pipeline.publish import remove
from services.pipeline.request import BuildRequest, default_folder
from services.projection import START, method_names
from services.settings import Settings
from services.workshop.estimate import Estimate, Work, estimate
from services.workshop.fetching import OFF, may_fetch
from services.workshop.limited import limited
from services.workshop.offers import Offer, offered
from services.workshop.owners import Owners, Ownership
from services.workshop.quotas import Quotas
from services.workshop.uploads import KEPT, Uploads
from services.workshop.wish import Wish

BROUGHT = ".brought"  # marks an atlas that another machine has built
MOST_MEMORY = 0.95  # of what is free


@dataclass(frozen=True)
class Checked:
    """A wish that was looked at. look: what services.workshop.look tells · problem: why it cannot be built"""

    wish: Wish
    offer: Offer
    look: dict[str, Any]
    estimate: Estimate | None
    problem: str | None

    @property
    def sentence(self) -> str:
        """ "BERT, 12 × 12 heads, encoder; 812 inputs, about 14,000 tokens"."""
        words = self.look["model"]["words"]
        if "tokens" not in self.look:
            return words
        inputs = self.look["inputs"]
        return f"{words}; {inputs:,} input{'s' if inputs != 1 else ''}, about {_round(self.look['tokens']):,} tokens"


class Order(BaseModel):
    """See above. discard: what was made is to go once its build has ended."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    slug: str
    arguments: dict[str, Any]
    wish: str = ""
    upload: str | None = None
    estimate: Estimate
    says: str = ""
    owner: str = ""
    asked: float = 0.0
    discard: bool = False

    @property
    def spec(self) -> JobSpec:
        return JobSpec(BUILD.name, self.arguments, owned(self.owner, "order"))


@dataclass(frozen=True)
class Placed:
    """An order as it stands. job: None when it was forgotten · atlas: what can be looked at already"""

    order: Order
    job: Job | None
    atlas: Atlas | None
    begun: bool  # something is there to go on from


@dataclass(frozen=True)
class Workshop:
    """The orders of a home folder.

    jobs: of which builds are asked · rows: everyone's jobs, where `jobs` shows those of one person; None: the same
    person: who orders, and whose uploads are read; "" where nobody has a name · quotas: theirs; None: none
    """

    settings: Settings
    library: Library
    jobs: Backend
    rows: Backend | None = None
    person: str = ""
    quotas: Quotas | None = None

    @property
    def uploads(self) -> Uploads:
        return Uploads(self.settings.uploads, self.settings.upload_bytes, self.person)

    def check(self, wish: Wish) -> Checked:
        """Look at model and corpus, and estimate.

        Raises:
            AtlasError: the model or the upload is not there.
        """
        offer = offered(wish.model, self.settings)
        upload = self.uploads.get(wish.upload) if wish.corpus == "upload" else None
        if wish.corpus == "upload" and upload is None:
            raise UploadError("That upload is gone; choose the file again.")
        if wish.corpus == "dataset" and not may_fetch(self.settings):
            raise BuildError(OFF)
        values = {
            "model": offer.name,
            "revision": offer.revision,
            "corpus": wish.reads(upload),
            "text": wish.text if wish.corpus == "paste" else "",
            "column": wish.column or None,
            "target": wish.target or None,
            "reading": wish.reading | ({"sample": wish.seed} if wish.sample else {}),
            "max_inputs": wish.max_inputs,
            "most_bytes": 20 * self.settings.upload_bytes,
        }
        look = limited("look", values, self.settings)
        if look["problem"] is not None:
            return Checked(wish, offer, look, None, look["problem"])
        parts = [Part(**part) for part in look["model"]["parts"]]
        work = Work(
            parts=parts,
            parameters=look["model"]["parameters"],
            tokens=look["tokens"],
            pairs=look["pairs"],
            layouts=_request(wish, offer, "", look["modality"]).layouts(),
            pixels=600 * look["tokens"] if look["modality"] == "image" else 0,
        )
        built = self._built_here()
        found = estimate(work, built, processes(self.settings), self._gpu(built))
        return Checked(wish, offer, look, found, self._misfit(found) or self._beyond(look["tokens"], found))

    def place(self, wish: Wish) -> Order:
        """Ask for the build; the same wish again while it is under way is the same order.

        Raises:
            AtlasError: it cannot be built, or not be asked for; nothing is left of it.
        """
        if (same := self._under_way(wish)) is not None:
            return same
        checked = self.check(wish)
        if checked.problem is not None or checked.estimate is None:
            raise BuildError(checked.problem or "It cannot be built.")
        with self._alone():  # a second press comes while the first one is looked at
            return self._under_way(wish) or self._place(checked, checked.estimate)

    def _under_way(self, wish: Wish) -> Order | None:
        """The order of an equal wish of the same person whose build waits or runs."""
        ours = ((one.order, one.job) for one in self.orders() if one.order.owner == self.person)
        return next((one for one, job in ours if one.wish == wish.digest and job is not None and job.active), None)

    def _place(self, checked: Checked, expected: Estimate) -> Order:
        wish = checked.wish
        pasted = self.uploads.paste(wish.text) if wish.corpus == "paste" else None
        upload = pasted or (self.uploads.get(wish.upload) if wish.corpus == "upload" else None)
        try:
            folder = self._claimed(checked.offer.name, wish.title or checked.look["name"])
            request = _request(wish, checked.offer, wish.reads(upload), checked.look["modality"])
            arguments = BuildArguments(request=request, folder=str(folder), device=AUTO)
            order = Order(
                slug=folder.name,
                arguments=arguments.model_dump(mode="json"),
                wish=wish.digest,
                upload=upload.id if upload else None,
                estimate=expected,
                says=checked.sentence,
                owner=self.person,
                asked=time.time(),
            )
            try:
                self._save(order)
                self.jobs.submit(order.spec)
            except AtlasError:
                self._file(order.slug).unlink(missing_ok=True)
                self._owners.forget(order.slug)
                raise
        except AtlasError:
            if pasted:
                self.uploads.discard(pasted.id)
            raise
        return order

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One order is placed at a time, by all processes of the home."""
        folder = self.settings.orders
        with arrays.disk_errors(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = (folder / ".lock").open("w")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def get(self, slug: object) -> Order | None:
        """The order of an atlas; None when there is none."""
        if not isinstance(slug, str) or not SLUG.fullmatch(slug):
            return None
        with suppress(OSError, ValueError, RecursionError):
            return Order.model_validate_json(self._file(slug).read_text(encoding="utf-8"))
        return None

    def orders(self) -> list[Placed]:
        """All orders, the newest first, after those that were given up were cleared away."""
        self.tidy()
        return sorted(map(self._placed, self._all()), key=lambda placed: -placed.order.asked)

    def begins_in(self, placed: Placed) -> float | None:
        """Seconds until a build that waits begins; None where it does not wait, or one before it was not ordered here.

        The estimates of those before it, as far as they are not done; as many are done at once as run now.
        """
        if placed.job is None or placed.job.state != "waiting":
            return None
        with suppress(AtlasError):
            jobs = [job for job in (self.rows or self.jobs).list() if job.kind == BUILD.name]
            running = [job for job in jobs if job.state == "running"]
            line = in_turn(jobs, BUILD.name)
            before = line[: next((at for at, job in enumerate(line) if job.id == placed.job.id), 0)]
            orders = [(job, self.get(Path(job.subject).name)) for job in (*running, *before)]
            left = [order.estimate.seconds * (1 - job.fraction) for job, order in orders if order is not None]
            if orders and len(left) == len(orders):
                return sum(left) / max(1, len(running))
        return None

    def go_on(self, slug: object) -> None:
        """Ask again for a build that has ended before it was done.

        Raises:
            JobError: as jobs.submit.
        """
        order = self.get(slug)
        if order is not None and not order.discard:
            self.jobs.submit(order.spec)

    def stop(self, slug: object) -> None:
        """End a build at its next step; what is made stays, and it can go on."""
        if (order := self.get(slug)) is not None:
            self.jobs.cancel(order.spec.id)

    def discard(self, slug: object) -> None:
        """End a build and remove what was made of it with what was brought for it. An atlas that can be looked at
        already stays: the library deletes those.
        """
        order = self.get(slug)
        if order is None or (self.settings.atlases / order.slug).is_dir():
            return
        self.jobs.cancel(order.spec.id)
        self._save(order.model_copy(update={"discard": True}))
        self.tidy()

    def tidy(self) -> None:
        """Clear away what was given up, orders of atlases that are gone, and uploads that nobody made anything of."""
        wanted = set()
        for order in self._all():
            placed = self._placed(order)
            active = placed.job is not None and placed.job.active
            old = time.time() - order.asked > KEPT
            gone = not active and not (self.settings.atlases / order.slug).is_dir()
            if gone and (order.discard or old) and self._removed(order):
                continue
            if order.upload:
                wanted.add(order.upload)
        self.uploads.sweep(wanted)

    @property
    def _owners(self) -> Owners:
        return Owners(self.settings.owners)

    def _removed(self, order: Order) -> bool:
        folder = self.settings.atlases / order.slug
        try:
            with build_lock(folder):
                remove(folder.with_name(f"{folder.name}.partial"))
        except BuildError:  # at work still
            return False
        self.uploads.discard(order.upload)
        self._file(order.slug).unlink(missing_ok=True)
        self._owners.forget(order.slug)
        return True

    def _placed(self, order: Order) -> Placed:
        folder = self.settings.atlases / order.slug
        with suppress(AtlasError):
            job = (self.rows or self.jobs).status(order.spec.id)
            begun = folder.is_dir() or folder.with_name(f"{folder.name}.partial").is_dir()
            return Placed(order, job, self.library.get(order.slug), begun)
        return Placed(order, None, None, False)

    def _all(self) -> Iterator[Order]:
        try:
            names = sorted(file.stem for file in self.settings.orders.glob("*.json"))
        except OSError:
            return
        yield from (order for name in names if (order := self.get(name)))

    def _save(self, order: Order) -> None:
        """
        Raises:
            BuildError: the disk is full or read-only.
        """
        with arrays.disk_errors(self.settings.orders):
            arrays.write_json(self._file(order.slug), order.model_dump(mode="json"))

    def _file(self, slug: str) -> Path:
        return self.settings.orders / f"{slug}.json"

    def _claimed(self, model: str, corpus: str) -> Path:
        """Where an atlas will be, which is its owner's before it is there."""
        while True:
            folder = self._free_folder(model, corpus)
            if not self.person or self._owners.claim(folder.name, Ownership(owner=self.person)):
                return folder

    def _free_folder(self, model: str, corpus: str) -> Path:
        """Where nothing is yet, nor will be."""
        plain = default_folder(self.settings.atlases, model, corpus)
        number, folder = 2, plain
        while any(
            place.exists() for place in (folder, folder.with_name(f"{folder.name}.partial"), self._file(folder.name))
        ) or self._owners.is_claimed(folder.name):
            folder = plain.with_name(f"{plain.name[:58].rstrip('-')}-{number}")
            number += 1
        return folder

    def _built_here(self) -> list[AtlasInfo]:
        """What the atlases that this machine has finished say of themselves, the newest first."""
        atlases = [entry.atlas for entry in self.library.entries() if entry.atlas]
        found = [atlas.info for atlas in atlases if not (atlas.path / BROUGHT).exists()]
        return sorted(found, key=lambda info: info.created, reverse=True)

    def _gpu(self, built: Sequence[AtlasInfo]) -> str:
        """The GPU that a build would get, as far as is known: without workers behind Redis, that of the last one."""
        try:
            told = (self.rows or self.jobs).gpu()
        except AtlasError:  # Redis does not answer: the order will be refused
            return ""
        return told if told is not None else next((info.device for info in built), "")

    def _beyond(self, tokens: int, found: Estimate) -> str | None:
        """Which of a person's quotas it is beyond; None when it is within all."""
        if self.quotas is None:
            return None
        try:
            self.quotas.check_tokens(tokens)
            self.quotas.check_atlases()
            self.quotas.check_bytes(found.disk)
        except BuildError as error:
            return str(error)
        return None

    def _misfit(self, found: Estimate) -> str | None:
        """Why it does not fit; None when it does."""
        free = available_bytes()
        if free is not None and found.memory > MOST_MEMORY * free:
            return (
                f"It needs up to {readable(found.memory)} of memory and {readable(free)} are free:"
                " take fewer inputs, or a smaller model."
            )
        with suppress(OSError):
            room = shutil.disk_usage(self.settings.atlases).free
            if found.disk > room:
                return (
                    f"It needs {readable(found.disk)} of disk and {readable(room)} are free:"
                    " take fewer inputs or maps, or make room."
                )
        return None


def _request(wish: Wish, offer: Offer, corpus: str, modality: str) -> BuildRequest:
    chosen: Sequence[str] = [name for name in method_names() if name in wish.projections or name == START.name]
    return BuildRequest(
        model=offer.name,
        corpus=corpus,
        modality=modality,
        revision=offer.revision,
        column=wish.column or None,
        target=wish.target or None,
        sample=wish.sample,
        **wish.reading,
        projections=tuple(chosen),
        engine=AUTO,
        dims=tuple(sorted(set(wish.dims))),
        max_inputs=wish.max_inputs,
        seed=wish.seed,
        title=(wish.title or "").strip() or None,
    )


def _round(tokens: int) -> int:
    """Two digits that count."""
    digits = 10 ** max(0, len(str(tokens)) - 2)
    return round(tokens / digits) * digits
