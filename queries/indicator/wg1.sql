-- grain: one row per grid
-- rule: WG1 repairs finished ÷ due in the month, void ones out
-- cohort: due
select
    repair.grid_id,
    null::text as part,
    null::date as day,
    count(*) filter (repair.finished_at is not null)::bigint as numerator,
    count(*)::bigint as denominator
from core.month_repair as repair
where repair.month = $month
    and repair.is_due
    and not repair.is_excluded
group by repair.grid_id
order by repair.grid_id
