"""A data set of the hub on the page New atlas: fetched by a job, then its subsets and splits to choose from."""

import time
from typing import Any

import dash_bootstrap_components as dbc
from dash import Input, Output, State, callback, ctx, dcc, html, no_update

from components import ids
from components.choices import field
from components.server.context import context
from components.server.permission import refusal
from services.errors import AtlasError
from services.jobs.spec import Job
from services.models.memory import readable
from services.settings import Settings
from services.workshop.fetching import ask, job_of, may_fetch


def dataset_field(settings: Settings) -> html.Div:
    """Its id, a button, and what was found of it."""
    most = readable(settings.upload_bytes)
    says = f"Public data sets that the hub keeps as Parquet; the first file of a split, {most} at most."
    return html.Div(
        [
            dcc.Store(id=ids.NEW_SET_JOB),
            dcc.Store(id=ids.NEW_SET),
            html.Div(
                [
                    field(
                        "Data set of the Hugging Face hub",
                        dbc.Input(id=ids.NEW_SET_ID, type="text", maxlength=200, placeholder="org/name"),
                        ids.NEW_SET_ID,
                        "field-wide",
                    ),
                    html.Button("Fetch", id=ids.NEW_FETCH, className="text-button", type="button"),
                ],
                className="form-row",
            ),
            html.Div(says, id=ids.NEW_SET_SAYS, className="form-note", role="status"),
            html.Div(
                [
                    field("Subset", dbc.Select(id=ids.NEW_SUBSET, options=[], value=""), ids.NEW_SUBSET),
                    field("Split", dbc.Select(id=ids.NEW_SPLIT, options=[], value=""), ids.NEW_SPLIT),
                ],
                id=ids.NEW_SET_PARTS,
                className="d-none",
            ),
        ]
        if may_fetch(settings)
        else "Data sets of the hub are switched off here.",
        id=ids.NEW_FETCHING,
        className="d-none",
    )


def fetched_corpus(data: Any) -> Any:
    """What a build reads, of what the store holds; None while nothing is fetched."""
    return data.get("corpus") if isinstance(data, dict) else None


@callback(
    Output(ids.NEW_SET_JOB, "data"),
    Input(ids.NEW_FETCH, "n_clicks"),
    Input(ids.NEW_SET_ID, "n_submit"),
    Input(ids.NEW_SUBSET, "value"),
    Input(ids.NEW_SPLIT, "value"),
    State(ids.NEW_SET_ID, "value"),
    State(ids.NEW_SET_JOB, "data"),
    State(ids.NEW_SET, "data"),
    prevent_initial_call=True,
)
def fetch(_clicks: Any, _entered: Any, subset: Any, split: Any, id: Any, before: Any, found: Any) -> Any:
    """Ask for a split: what was typed, or another part of what is there."""
    chosen = ctx.triggered_id in (ids.NEW_SUBSET, ids.NEW_SPLIT)
    if chosen:
        shown = found if isinstance(found, dict) else {}
        if not isinstance(before, dict) or (subset, split) == (shown.get("subset"), shown.get("split")):
            return no_update  # not the reader's choice: what was fetched is shown
        id = before.get("id")
    part = subset if chosen else ""
    wanted = {"id": id, "asked": time.time()}
    try:
        problem = refusal("build")
        of_it = split if ctx.triggered_id == ids.NEW_SPLIT else ""  # another subset may have other splits
        job = None if problem else ask(context().jobs, context().settings, id, of_it, part)
    except AtlasError as error:
        problem, job = str(error), None
    return wanted | ({"problem": problem} if job is None else {"job": job.id})


@callback(
    Output(ids.NEW_SET, "data"),
    Output(ids.NEW_SET_SAYS, "children"),
    Output(ids.NEW_SUBSET, "options"),
    Output(ids.NEW_SUBSET, "value"),
    Output(ids.NEW_SPLIT, "options"),
    Output(ids.NEW_SPLIT, "value"),
    Output(ids.NEW_SET_PARTS, "className"),
    Input(ids.NEW_SET_JOB, "data"),
    Input(ids.JOBS, "data"),
    Input(ids.BANNER, "children"),
    State(ids.NEW_SET, "data"),
    prevent_initial_call=True,
)
def follow(asked: Any, _jobs: Any, _banner: Any, found: Any) -> tuple[Any, ...]:
    """Show how far it is, and what was fetched."""
    same = (no_update,) * 7
    shown = found if isinstance(found, dict) else {}
    if not isinstance(asked, dict) or shown.get("asked") == asked.get("asked"):
        return same
    nothing = None if shown else no_update
    try:
        job = None if asked.get("problem") else job_of(context().jobs, asked.get("job"))
        said = _words(job) if job is not None else html.Span(str(asked["problem"]), className="check-problem")
    except AtlasError as error:
        job, said = None, html.Span(str(error), className="check-problem")
    if job is None or job.state != "finished" or job.result is None:
        return nothing, said, *same[2:]
    one = job.result
    data = {name: one[name] for name in ("corpus", "subset", "split")} | {"asked": asked.get("asked")}
    parts = [_options(one["subsets"]), one["subset"], _options(one["splits"]), one["split"]]
    return data, said, *parts, "form-row"


def _options(names: list[str]) -> list[dict[str, str]]:
    return [{"label": name, "value": name} for name in names]


def _words(job: Job) -> Any:
    """How far it is, what came, or why nothing did."""
    if job.state == "finished" and job.result is not None:
        one = job.result
        first = f", the first of {one['files']:,} files" if one["files"] > 1 else ""
        return f"{one['shown']}: {readable(one['bytes'])}{first}."
    if job.active:
        return f"{job.label} · {round(100 * job.fraction)} %" if job.total else f"{job.label} …"
    return html.Span(job.message if job.state == "failed" else job.sentence, className="check-problem")
