"""Every setting of the dashboard, read from environment variables with the prefix `ATLAS_`.

`docs/settings.md` documents each one; a test compares the two.
"""

import os
import re
import socket
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.access import networks
from services.errors import AtlasError


class Settings(BaseSettings):
    """One frozen object, made once at start."""

    model_config = SettingsConfigDict(env_prefix="ATLAS_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Path = Field(
        default=Path("~/.local/share/attention-atlas"),
        description="Folder of atlases, jobs and caches; created when missing.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8050, ge=1, le=65535, description="Port to listen on.")
    demo: bool = Field(default=True, description="Build the demo atlas in the background when there is no atlas.")
    demo_images: bool = Field(
        default=True,
        description="Build a demo atlas of images as well, where its model is installed (requirements-vision.txt).",
    )
    demo_projections: str = Field(
        default="all", description="Projections of the demo atlases: all, or their names with commas."
    )
    open_browser: bool = Field(default=True, description="Open the dashboard in a browser when there is a desktop.")
    url_prefix: str = Field(
        default="/", description="Path the dashboard is served under, starting and ending with a slash."
    )
    allowed_hosts: str | None = Field(
        default=None,
        description="Names that the server answers to, with commas. Not set: a server that listens on this machine "
        "alone answers to localhost, one that listens to a network to any name.",
    )
    trusted_proxies: str | None = Field(
        default=None,
        description="Addresses or networks of proxies, with commas, whose `X-Forwarded-For`, `-Proto` and `-Host` are "
        "believed.",
    )
    auth: Path | None = Field(
        default=None,
        description="File of users, a line `name:role:hash` each; `python app.py password NAME` writes one. Roles: "
        "view, build, admin. Not set: everyone may enter and do everything.",
    )
    user_header: str | None = Field(
        default=None,
        description="Header in which a trusted proxy tells the user's name; the role is that of ATLAS_AUTH, or view.",
    )
    read_only: bool = Field(default=False, description="Everyone may look, nobody may start or change anything.")
    pickled_weights: bool = Field(
        default=True,
        description="Read `.bin` weights where there are no safetensors, by PyTorch's restricted unpickler.",
    )
    jobs: int = Field(default=0, ge=0, description="Processes a build may use; 0 means one for each processor core.")
    device: str = Field(
        default="auto",
        pattern=r"^(auto|cpu|cuda(:\d{1,2})?)$",
        description="Where builds run that were asked for on a page: `auto`, a GPU of the machine that does them where "
        "PyTorch finds one; `cpu`; `cuda` or `cuda:1`, that GPU or no build.",
    )
    start_jobs: bool = Field(
        default=True,
        description="Whether who asks for a job starts its process; false: `python app.py worker` beside it does.",
    )
    redis_url: SecretStr | None = Field(
        default=None,
        description="Redis that holds the job table, the queue of `python app.py worker` (Celery) and caches, such as "
        "`redis://:PASSWORD@HOST:6379/0`; needs requirements-lab.txt. Not set: one machine, without Redis.",
    )
    worker: str = Field(
        default_factory=socket.gethostname,
        pattern=r"^[\w.-]{1,64}$",
        description="Name of a worker behind Redis, its own on a disk that several share; not set: the machine's.",
    )
    dask_scheduler: str | None = Field(
        default=None, description="Address of a Dask scheduler for layouts; its workers must share the disk."
    )
    models: Path | None = Field(
        default=None,
        description="Folder whose subfolders the page New atlas offers as models; not set: `models` in the home.",
    )
    upload_bytes: int = Field(
        default=200_000_000, ge=0, description="Bytes of an upload at most, all its files together; 0: no uploads."
    )
    datasets: bool = Field(
        default=True, description="Whether the page New atlas fetches data sets of the Hugging Face hub by their ids."
    )
    atlas_bytes: int = Field(
        default=4_000_000_000, ge=0, description="Bytes of an atlas at most that is opened from a file; 0: none is."
    )
    quota_atlases: int | None = Field(
        default=None, ge=0, description="Atlases that a person may have; admins any number. Not set: any number."
    )
    quota_bytes: int | None = Field(
        default=None, ge=0, description="Bytes of a person's atlases and uploads together; not set: as many as fit."
    )
    quota_tokens: int | None = Field(
        default=None, ge=0, description="Tokens of a build that a person asks for on a page; not set: as many as fit."
    )
    quota_jobs: int | None = Field(
        default=None, ge=0, description="Builds and other long jobs of a person that wait or run at once; not set: any."
    )
    probe_tokens: int = Field(default=128, ge=4, le=4096, description="Most tokens of a probe, a reader's own input.")
    probe_idle: float = Field(
        default=600.0, ge=1, description="Seconds without a probe after which the process with the model ends."
    )
    metrics: bool = Field(
        default=False, description="Serve /metrics for Prometheus, to admins; needs requirements-lab.txt."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="`json`: logs, and a line for each request, are objects in JSON."
    )
    secret_key: SecretStr | None = Field(
        default=None, description="Signs the session; set the same one for all processes of a server."
    )

    @field_validator("home", "models")
    @classmethod
    def _expand(cls, value: Path | None) -> Path | None:
        try:
            return value and value.expanduser().absolute()
        except RuntimeError as error:
            raise ValueError(f"{error} Give a full path") from error

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str | None) -> str | None:
        networks(value or "")
        return value

    @field_validator("url_prefix")
    @classmethod
    def _slashes(cls, value: str) -> str:
        if not re.fullmatch(r"/([\w.~-]+/)*", value, re.ASCII):
            raise ValueError("must be a path that starts and ends with a slash, for example /atlas/")
        return value

    @property
    def atlases(self) -> Path:
        return self.home / "atlases"

    @property
    def job_folder(self) -> Path:
        """Table, slots and logs of jobs."""
        return self.home / "jobs"

    @property
    def job_table(self) -> Path:
        return self.job_folder / "table"

    @property
    def uploads(self) -> Path:
        """What people have brought."""
        return self.home / "uploads"

    @property
    def orders(self) -> Path:
        """What was asked for on the page New atlas, a file an atlas."""
        return self.home / "orders"

    @property
    def owners(self) -> Path:
        """Whose atlases are, a file an atlas that somebody owns."""
        return self.home / "owners"

    @property
    def trash(self) -> Path:
        """Atlases that were deleted less than a day ago."""
        return self.home / "trash"

    @property
    def model_folder(self) -> Path:
        """Where models lie that a page may offer."""
        return self.models or self.home / "models"

    @property
    def cache(self) -> Path:
        return self.home / "cache"

    @property
    def maps(self) -> Path:
        """Maps made with another c than their atlas's."""
        return self.cache / "maps"

    @property
    def probes(self) -> Path:
        """What was found of probes lately."""
        return self.cache / "probes"

    @property
    def head_maps(self) -> Path:
        """Maps of the heads of atlases."""
        return self.cache / "heads"

    @property
    def folders(self) -> tuple[Path, ...]:
        return self.home, self.atlases, self.job_folder, self.cache

    def make_folders(self, *, serving: bool = False) -> None:
        """Create the folders, private to the user.

        serving: what has atlases to show need not be written: a server then starts and lets people look.

        Raises:
            AtlasError: the home folder cannot be created or written.
        """
        bears = self.read_only or (serving and os.access(self.atlases, os.R_OK | os.X_OK))
        for folder in self.folders:
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                if bears:
                    continue
                raise AtlasError(
                    f"Cannot create {folder} ({error.strerror}); set ATLAS_HOME to a folder you can write to."
                ) from error
            if not bears and not _is_writable(folder):
                raise AtlasError(f"Cannot write {folder}; set ATLAS_HOME to a folder you can write to.")

    @property
    def is_halted(self) -> bool:
        """Whether the home cannot be written just now, though ATLAS_READ_ONLY is not set: a disk may turn read-only."""
        return not self.read_only and not all(_is_writable(folder) for folder in self.folders if folder.exists())


def _is_writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """The settings from the environment.

    Raises:
        AtlasError: a variable has a value that is not allowed; the message names it.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "ATLAS_" + "_".join(str(part) for part in first["loc"]).upper()
        raise AtlasError(f"{name}: {first['msg']} (got {first.get('input')!r}).") from error
