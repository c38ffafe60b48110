"""P1 to P3: scoring all suppliers, beside one statement written by hand, a tenth of the size, and the raw tables."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from health import assessments
from success import db
from tests.bench.databases import Databases
from tests.bench.figures import Figure, Section, section
from tests.bench.raw import RAW, params
from tests.bench.timing import backend_cpu, interleaved, seconds

# ---------------------------------------------------------------- the statements ours is measured against

# What the brief asks of a facts row `f`, as one would write it down for this one scorecard.
HAND_WRITTEN = """
select f.*, login + adoption + clients + forms + journeys as score, array[login, adoption, clients, forms, journeys] as points from (
    select f.supplier_id, f.last_sign_in_at, f.features, f.clients_active, f.clients_total,
           f.forms_started, f.forms_completed, f.steps_started, f.steps_completed,
           case when not f.in_service then 'ended'
                when f.first_activity_at is null and f.clients_total = 0 and f.known_since > %(at)s - interval '3 days' then 'insufficient_data'
                else 'ok' end as status,
           case when f.last_sign_in_at > %(at)s - interval '3 days' then 30
                when f.last_sign_in_at > %(at)s - interval '7 days' then 20
                when f.last_sign_in_at > %(at)s - interval '14 days' then 10
                when f.last_sign_in_at > %(at)s - interval '30 days' then 5 else 0 end::float8 as login,
           25::float8 * bit_count((f.features & 15)::bit(64)) / 4 as adoption,
           coalesce(25::float8 * f.clients_active / nullif(f.clients_total, 0), 0) as clients,
           coalesce(10::float8 * f.forms_completed / nullif(greatest(f.forms_started, f.forms_completed), 0), 0) as forms,
           coalesce(10::float8 * f.steps_completed / nullif(greatest(f.steps_started, f.steps_completed), 0), 0) as journeys
    from {source} f
) f"""
UPDATE = """
update health_assessment a
set status = y.status, score = y.score, level = y.level, points = case y.status when 'ok' then y.points end,
    scorecard = 'ws142', version = 1, changed_at = %(at)s,
    level_before = case when a.level is distinct from y.level then a.level else a.level_before end,
    level_since = case when a.level is distinct from y.level then %(at)s else a.level_since end,
    last_sign_in_at = y.last_sign_in_at, features = y.features, clients_active = y.clients_active, clients_total = y.clients_total,
    forms_started = y.forms_started, forms_completed = y.forms_completed, steps_started = y.steps_started, steps_completed = y.steps_completed
from (select supplier_id, status, case status when 'ok' then score end as score, points, last_sign_in_at, features, clients_active, clients_total,
             forms_started, forms_completed, steps_started, steps_completed,
             case when status <> 'ok' then null when score < 40 then 'critical' when score < 70 then 'at_risk' else 'healthy' end as level
      from ({scored}) x) y
where a.supplier_id = y.supplier_id"""
FROM_FACTS = HAND_WRITTEN.format(source="success_facts")
FROM_RAW = HAND_WRITTEN.format(source=RAW)
# Counted and summed, so that all is computed and nothing sent.
COMPUTED = "select count(*), sum(score), count(points) from ({scored}) x where status = 'ok'"
DIFFERENT = """select count(*) from health_assessment a full join ({scored}) x using (supplier_id)
    where a.status is distinct from x.status
       or (x.status = 'ok' and (abs(a.score - x.score) > 1e-9 or a.features <> x.features)) or (x.status <> 'ok' and a.score is not null)"""


# ---------------------------------------------------------------- facts that moved


def move_all() -> None:
    """Every supplier's facts changed, and so will every row: a feature more or less. No dirty marks, as when a scorecard changes."""
    db.execute("update success_facts set features = features # 1")
    settle()


def move_some(at: datetime) -> None:
    """The facts of one supplier in twenty changed, and are marked."""
    db.execute("update success_facts set features = features # 1, dirty_at = %s where supplier_id %% 20 = 1", [at])
    settle()


def settle() -> None:
    db.execute("vacuum success_facts, health_assessment, success_event")
    db.execute("checkpoint")


def moved(move: Callable[[], None], measure: Callable[[], float]) -> Callable[[], float]:
    def arm() -> float:
        move()
        return measure()

    return arm


def by_hand(scored: str, at: datetime) -> None:
    with transaction.atomic():
        db.rows("select set_config('work_mem', '64MB', true)")
        db.execute(UPDATE.format(scored=scored), params(at))


# ---------------------------------------------------------------- the measurements


def p1(sizes: list[int], rounds: int, found: Databases) -> Section:
    return section(
        "P1 Scoring all",
        "`health.assessments.assess`, every row changed and written, changes of level published; beside one UPDATE from the facts, written by "
        "hand, that writes the same rows in one transaction.",
        [all_written(size, rounds, found) for size in sizes],
    )


def all_written(size: int, rounds: int, found: Databases) -> Figure:
    found.use(size)
    ours, hand = interleaved(
        rounds,
        moved(move_all, lambda: seconds(lambda: assessments.assess(at=found.now()))),
        moved(move_all, lambda: seconds(lambda: by_hand(FROM_FACTS, found.now()))),
    )
    assert assessments.assess(at=found.now()).changed == 0, "the statement written by hand wrote something else"
    return Figure(f"{size:,} suppliers", ours, "one UPDATE .. FROM facts", hand, size, "supplier", 1.5 if size >= 100_000 else None)


def p2(sizes: list[int], rounds: int, found: Databases) -> Section:
    small, large = min(sizes), max(sizes)
    goals = (1.3, 2.0) if large >= 1_000_000 else (None, None)
    moves = (("all written", move_all, goals[0]), ("one in twenty changed and written", lambda: move_some(found.now()), goals[1]))
    return section(
        "P2 Database CPU per supplier",
        f"CPU of the database's process during `assess`, for one supplier of {large:,} beside one of {small:,}.",
        [per_supplier(what, move, small, large, rounds, found, goal) for what, move, goal in moves],
    )


def per_supplier(what: str, move: Callable[[], None], small: int, large: int, rounds: int, found: Databases, goal: float | None) -> Figure:
    def of(size: int) -> Callable[[], float]:
        repeats = 2 * max(1, 10_000 // size)  # the kernel counts hundredths of a second; an even number leaves the facts as they were

        def arm() -> float:
            found.use(size)
            return sum(moved(move, lambda: backend_cpu(lambda: assessments.assess(at=found.now())))() for _ in range(repeats)) / size / repeats

        return arm

    ours, beside = interleaved(rounds, of(large), of(small))
    return Figure(f"{what}, {large:,} suppliers", ours, f"{small:,} suppliers", beside, goal=goal)


def p3(sizes: list[int], rounds: int, found: Databases) -> Section:
    return section(
        "P3 Facts instead of raw tables",
        "Scores computed over the facts, beside the same arithmetic in one pass over activity and clients; and the whole of `assess`, every row written, "
        "beside the UPDATE from that pass. That all results are the same is asserted.",
        [figure for size in sizes for figure in over_facts(size, rounds, found)],
    )


def over_facts(size: int, rounds: int, found: Databases) -> list[Figure]:
    found.use(size)
    at = found.now()
    assessments.assess(at=at)
    for scored in (FROM_FACTS, FROM_RAW):
        assert db.rows(DIFFERENT.format(scored=scored), params(at)) == [(0,)], "facts and raw tables give different scores"
    computed = interleaved(rounds, *(lambda scored=scored: seconds(lambda: compute(scored, at)) for scored in (FROM_FACTS, FROM_RAW)))
    written = interleaved(
        rounds,
        moved(move_all, lambda: seconds(lambda: assessments.assess(at=found.now()))),
        moved(move_all, lambda: seconds(lambda: by_hand(FROM_RAW, found.now()))),
    )
    return [
        Figure(f"{size:,} suppliers, computed", computed[0], "one pass over raw tables", computed[1], size, "supplier", 0.2),
        Figure(f"{size:,} suppliers, written", written[0], "UPDATE from one pass over raw tables", written[1], size, "supplier"),
    ]


def compute(scored: str, at: datetime) -> None:
    with transaction.atomic():
        db.rows("select set_config('work_mem', '64MB', true)")
        db.rows(COMPUTED.format(scored=scored), params(at))
