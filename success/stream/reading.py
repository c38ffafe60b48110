"""What a stream server asks the database: a few statements, no model. What was settled meanwhile is said to nobody any more."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg_pool import AsyncConnectionPool

from success.stream.connections import parameters
from success.stream.tickets import Ticket
from success.stream.wire import Item

MOST = 1000  # pushes a page that comes back is told at most: the latest

# The highest place given: what is higher was never ours to give.
LAST = "select coalesce(max(place), 0) from success_push"
WAITING = """select place, supplier_id, event, data::text from success_push
    where supplier_id = %s and place is not null and settled_at is null and (waits or place > %s) order by place desc limit %s"""
MISSED = """select place, supplier_id, event, data::text from success_push
    where supplier_id = %s and place > %s and settled_at is null order by place desc limit %s"""
MISSED_BY_ALL = """select place, supplier_id, event, data::text from success_push
    where supplier_id = any(%s) and place > %s and settled_at is null order by place"""
GOOD = """select t.n from unnest(%s::int[], %s::bigint[], %s::text[], %s::bigint[]) as t (n, supplier, name, key)
    where exists (select from success_supplier s
                  where s.id = t.supplier and left(encode(sha256(convert_to(s.external_id, 'UTF8')), 'hex'), 32) = t.name)
      and (t.key is null or exists (select from success_apikey k
           where k.id = t.key and k.revoked_at is null and (k.expires_at is null or k.expires_at > %s) and 'write' = any(k.scopes)))"""


def pool() -> AsyncConnectionPool[Any]:
    """Few connections: each page needs one for a moment, when it opens. Many that come back at once wait for their turn."""
    given = parameters("stream") | {"autocommit": True}
    return AsyncConnectionPool(kwargs=given, min_size=1, max_size=4, timeout=10, open=False)


async def rows(pool: AsyncConnectionPool[Any], statement: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    async with pool.connection() as connection:
        found: list[tuple[Any, ...]] = await (await connection.execute(statement, params)).fetchall()
        return found


async def missed(pool: AsyncConnectionPool[Any], supplier: int, *, since: int | None, known: int) -> tuple[list[Item], int]:
    """What a page that opens is told: after `since`, or else what waits and what came after `known`; and the place up to which that is all."""
    async with pool.connection() as connection:
        ((last,),) = await (await connection.execute(LAST)).fetchall()
        resumes = since is not None and since <= last
        statement, after = (MISSED, since) if resumes else (WAITING, known)
        found = await (await connection.execute(statement, [supplier, after, MOST])).fetchall()
    items = [Item(*row) for row in reversed(found)]
    return items, max([last, *(item.place for item in items)])


async def missed_by_all(pool: AsyncConnectionPool[Any], suppliers: Sequence[int], *, since: int) -> list[Item]:
    return [Item(*row) for row in await rows(pool, MISSED_BY_ALL, [list(suppliers), since])]


async def good(pool: AsyncConnectionPool[Any], tickets: Sequence[Ticket], *, at: datetime) -> set[int]:
    """Which of these still let in, as the database has it: her name is still hers, the key still opens."""
    columns = [[*range(len(tickets))], [one.supplier for one in tickets], [one.name for one in tickets], [one.key for one in tickets]]
    return {n for (n,) in await rows(pool, GOOD, [*columns, at])}
