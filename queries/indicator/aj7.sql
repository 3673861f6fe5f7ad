-- grain: one row per grid, severity and day
-- rule: AJ7 accidents, minor and serious
-- cohort: month-end
select
    event.grid_id,
    event.severity as part,
    event.day,
    sum(event.count)::bigint as numerator,
    null::bigint as denominator
from core.month_event as event
where event.month = $month
    and event.indicator = 'aj7'
    and event.severity in ('minor', 'serious')
group by event.grid_id, event.severity, event.day
order by event.grid_id, event.severity, event.day
