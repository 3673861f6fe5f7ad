-- grain: one row per grid, severity and day
-- rule: ZF2 major matters reported late or missed
-- cohort: month-end
select
    event.grid_id,
    event.severity as part,
    event.day,
    sum(event.count)::bigint as numerator,
    null::bigint as denominator
from core.month_event as event
where event.month = $month
    and event.indicator = 'zf2'
group by event.grid_id, event.severity, event.day
order by event.grid_id, event.severity, event.day
