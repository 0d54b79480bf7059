"""What is next in an erasure, against a world whose places fill, refuse and die as they like."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from functions.privacy.erasure.moves import (
    MAX_PAUSE_SECONDS,
    Begin,
    End,
    Finish,
    Stop,
    SweepPlace,
    WaitUntil,
    next_move,
)
from functions.privacy.erasure.progress import COPIES, ErasurePlan, ErasureProgress

PLACES = ("a", "b", "archives")
STOPS = ("first", "second")
SETTLE = 7200.0


@dataclass
class Model:
    """Places with so much in them; `arrives`: what comes, when and where; `hinders`: who refuses."""

    there: dict[str, int]
    arrives: list[tuple[float, str, int]]
    hinders: dict[str, int]
    now: float = 0.0
    removed: dict[str, int] = field(default_factory=dict)
    came: dict[str, int] = field(default_factory=dict)

    def let_arrive(self, stopped_at: float | None) -> None:
        """Nothing comes later than SETTLE after the last stop."""
        for each in list(self.arrives):
            at, place, count = each
            if at <= self.now and (stopped_at is None or at <= stopped_at + SETTLE):
                self.there[place] += count
                self.came[place] = self.came.get(place, 0) + count
                self.arrives.remove(each)

    def sweep(self, progress: ErasureProgress, place: str, dies: int) -> ErasureProgress | None:
        """As functions.privacy.erasure.run does it; None when it dies on the way."""
        if self.hinders.get(place, 0):
            self.hinders[place] -= 1
            return progress.leaving(place, "hindered")
        there = self.there[place]
        if there or progress.pending.get(place):
            progress = progress.expecting(place, there)
            self.saved = progress
            if dies == 1:
                return None
            self.removed[place] = self.removed.get(place, 0) + there
            self.there[place] = 0
            if dies == 2:
                return None
        return progress.swept(place, self.now)


amounts = st.integers(0, 5)


@given(
    there=st.fixed_dictionaries(dict.fromkeys(PLACES, amounts)),
    arrives=st.lists(st.tuples(st.floats(0, 20_000), st.sampled_from(PLACES), st.integers(1, 3)), max_size=4),
    hinders=st.fixed_dictionaries({place: st.integers(0, 3) for place in PLACES}),
    deaths=st.lists(st.integers(0, 2), max_size=40),
    waits=st.lists(st.floats(0, 900), max_size=40),
)
def test_it_ends_when_nothing_is_left_nor_can_come_and_counts_all_that_went(
    there: dict[str, int],
    arrives: list[tuple[float, str, int]],
    hinders: dict[str, int],
    deaths: list[int],
    waits: list[float],
) -> None:
    model, progress = Model(there, arrives, hinders), ErasureProgress()
    at_first = dict(there)
    plan = ErasurePlan(STOPS, PLACES, settle_seconds=SETTLE)
    for _ in range(2000):
        progress = ErasureProgress.from_json(progress.to_json())
        model.let_arrive(progress.stopped_at)
        match next_move(plan, progress, model.now):
            case Stop(name):
                progress = progress.after_stop(name, plan, model.now)
            case Begin():
                progress = progress.beginning(model.now)
            case SweepPlace(name):
                model.saved = progress
                progress = model.sweep(progress, name, deaths.pop() if deaths else 0) or model.saved
            case End(resume_at):
                progress = progress.after_round(model.now, resume_at)
            case WaitUntil(until):
                assert until > model.now
                model.now = until
            case Finish():
                break
        model.now += waits.pop() if waits else 1.0
    else:
        raise AssertionError("it never ends")

    assert model.there == dict.fromkeys(PLACES, 0)
    assert progress.stopped_at is not None
    assert progress.began_at is not None
    assert progress.began_at >= progress.stopped_at + SETTLE
    assert all(at > progress.stopped_at + SETTLE for at, _, _ in model.arrives)
    for place in PLACES:
        gone = at_first[place] + model.came.get(place, 0)
        counted = progress.removed.get(place, 0)
        # A death between two arrivals may hide some of what went; what went undisturbed is counted exactly.
        assert counted <= gone
        if not model.came.get(place):
            assert counted == gone
    sources = [place for place in PLACES if place not in COPIES and at_first[place]]
    assert (progress.removed_at is not None) >= bool(sources)


def test_stops_come_first_each_once_and_in_order() -> None:
    plan, progress = ErasurePlan(STOPS, PLACES, settle_seconds=SETTLE), ErasureProgress()
    assert next_move(plan, progress, 0) == Stop("first")
    progress = progress.after_stop("first", plan, 10)
    assert (next_move(plan, progress, 10), progress.stopped_at) == (Stop("second"), None)
    progress = progress.after_stop("second", plan, 20)
    assert (next_move(plan, progress, 20), progress.stopped_at) == (Begin(), 20)


def test_a_round_that_found_something_is_followed_by_another_at_once() -> None:
    plan = ErasurePlan((), ("a",), quiet_at=0)
    progress = ErasureProgress().beginning(5).expecting("a", 3).swept("a", 5)
    assert next_move(plan, progress, 5) == End(5)
    progress = progress.after_round(5, 5).beginning(5).swept("a", 5)
    assert next_move(plan, progress, 5) == Finish()


def test_a_round_that_began_too_early_is_not_the_last() -> None:
    plan = ErasurePlan((), ("a",), quiet_at=100)
    progress = ErasureProgress().beginning(99).swept("a", 101)
    assert next_move(plan, progress, 101) == End(100)


def test_what_cannot_be_emptied_is_looked_at_again_later_and_later() -> None:
    plan, progress, pauses = ErasurePlan((), ("a",), quiet_at=0), ErasureProgress(), []
    now = 0.0
    for _ in range(12):
        progress = progress.beginning(now).leaving("a", "busy")
        move = next_move(plan, progress, now)
        assert isinstance(move, End)
        pauses.append(move.resume_at - now)
        progress, now = progress.after_round(now, move.resume_at), move.resume_at
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (60, MAX_PAUSE_SECONDS)


def test_a_place_is_asked_in_its_order_and_others_while_one_is_left() -> None:
    plan = ErasurePlan((), ("a", "b"), quiet_at=0)
    progress = ErasureProgress().beginning(0).leaving("a", "busy")
    assert next_move(plan, progress, 0) == SweepPlace("b")
    assert isinstance(next_move(plan, progress.swept("b", 0), 0), End)


def test_what_a_dead_run_was_removing_is_counted_once() -> None:
    progress = ErasureProgress().beginning(0).expecting("a", 7)
    assert progress.expecting("a", 4).swept("a", 1).removed == {"a": 7}
    assert progress.expecting("a", 0).swept("a", 1).removed == {"a": 7}


def test_copies_that_were_removed_do_not_make_later_copies_suspect() -> None:
    progress = ErasureProgress().beginning(0).expecting("archives", 1).swept("archives", 9)
    assert progress.removed_at is None
    assert progress.expecting("rows", 1).swept("rows", 11).removed_at == 11


def test_what_is_no_row_makes_no_copy_suspect_and_no_round_wait() -> None:
    progress = ErasureProgress().beginning(0).expecting("rows", 1).swept("rows", 11)
    for place in ("last_file", "traces"):
        progress = progress.expecting(place, 1).swept(place, 99)
    assert progress.removed_at == 11


def test_the_last_round_begins_a_while_after_the_last_removal_where_no_account_is_stopped() -> None:
    plan = ErasurePlan((), ("a",), quiet_at=0, settle_seconds=120)
    progress = ErasureProgress().beginning(5).expecting("a", 3).swept("a", 6).after_round(6, 6)
    assert next_move(plan, progress.beginning(125).swept("a", 125), 125) == End(126)
    assert next_move(plan, progress.beginning(126).swept("a", 126), 126) == Finish()
