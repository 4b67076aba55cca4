"""Whose turn it is among those who wait."""

from services.jobs.spec import WAITING, Job, people_of
from services.jobs.turns import in_turn, with_places


def row(name, *owners, order, state="waiting", begun=0.0, kind="toy"):
    return Job(
        id=name, kind=kind, arguments={}, title=name, owners=dict.fromkeys(owners, 0.0), people=people_of(owners),
        state=state, begun=begun, order=order, label=WAITING if state == "waiting" else "Step 1",
    )  # fmt: skip


def names(jobs):
    return [job.id for job in jobs]


def test_each_persons_first_job_comes_before_anyones_second():
    rows = [row(f"a{number}", "anna\x1fx", order=number) for number in range(3)]
    rows += [row(f"b{number}", "bert\x1fx", order=10 + number) for number in range(2)]
    assert names(in_turn(rows, "toy")) == ["a0", "b0", "a1", "b1", "a2"]
    rows.append(row("before", "anna\x1fy", order=-1, state="finished", begun=5.0))
    assert names(in_turn(rows, "toy")) == ["b0", "a0", "b1", "a1", "a2"]  # who was served waits
    assert in_turn(rows, "pair") == []


def test_one_person_is_served_in_order_and_tabs_stand_for_people_without_names():
    assert names(in_turn([row("z", "tab", order=1), row("a", "tab", order=2)], "toy")) == ["z", "a"]
    rows = [row("a0", "tab", order=1), row("a1", "tab", order=2), row("b0", "other", order=3), row("n", order=4)]
    assert names(in_turn(rows, "toy")) == ["a0", "b0", "n", "a1"]


def test_what_two_want_comes_when_it_is_the_turn_of_either():
    rows = [
        row("a0", "anna\x1fx", order=1),
        row("a1", "anna\x1fx", "bert\x1fx", order=2),
        row("a2", "anna\x1fx", order=3),
    ]
    assert names(in_turn(rows, "toy")) == ["a0", "a1", "a2"]


def test_places_count_what_runs_and_what_comes_before():
    rows = [row("r", "anna\x1fx", order=0, state="running", begun=1.0), row("a", "anna\x1fx", order=1)]
    rows += [row("b", "bert\x1fx", order=2), row("p", "bert\x1fx", order=3, kind="pair")]
    told = {job.id: job.label for job in with_places(rows, WAITING)}
    assert told == {"r": "Step 1", "a": f"{WAITING}: 2 before it", "b": f"{WAITING}: 1 before it", "p": WAITING}
