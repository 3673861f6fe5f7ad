-- grain: one row per grid
-- rule: WG2 on site in time ÷ arrivals due in the month
-- cohort: due
select
    repair.grid_id,
    null::text as part,
    null::date as day,
    count(*) filter (repair.arrived_at <= repair.arrive_due_at)::bigint as numerator,
    count(*)::bigint as denominator
from core.month_repair as repair
where repair.month = $month
    and repair.is_arrival_due
    and not repair.is_excluded
group by repair.grid_id
order by repair.grid_id
