-- Since when each supplier of a range has its level, as the snapshots tell it, and the last other level before, where that is earlier than what is stored.
-- Every table is bounded by the range itself: through a join alone the planner reads all of it for each range.

update health_assessment a
set level_since = x.since, level_before = x.before
from (
    select c.supplier_id,
           ((select min(h.day) from health_snapshot h where h.supplier_id = c.supplier_id and h.level = c.level and h.day > coalesce(o.day, '-infinity')) + 1)
               ::timestamp at time zone 'UTC' - interval '1 microsecond' as since,
           (select h.level from health_snapshot h where h.supplier_id = c.supplier_id and h.level <> c.level order by h.day desc limit 1) as before
    from health_assessment c
    left join lateral (select day from health_snapshot h where h.supplier_id = c.supplier_id and h.level is distinct from c.level order by day desc limit 1) o on true
    where c.supplier_id between %(low)s and %(high)s and c.level is not null
) x
where a.supplier_id = x.supplier_id and a.supplier_id between %(low)s and %(high)s and x.since < a.level_since
