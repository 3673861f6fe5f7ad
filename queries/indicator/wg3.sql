-- grain: one row per grid
-- rule: WG3 satisfied ÷ called back, of the repairs due in the month; the
--   variant "all" of the rubric divides by all that are due
-- cohort: due
select
    repair.grid_id,
    null::text as part,
    null::date as day,
    count(*) filter (
        repair.called_back_at is not null
        and repair.satisfaction = 'satisfied'
    )::bigint as numerator,
    count(*)::bigint as denominator
from core.month_repair as repair
inner join core.month_info as info
    on repair.month = info.month
where repair.month = $month
    and repair.is_due
    and not repair.is_excluded
    and (
        repair.called_back_at is not null
        or info.repair_satisfaction = 'all'
    )
group by repair.grid_id
order by repair.grid_id
