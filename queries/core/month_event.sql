-- grain: one row per event of the month
-- rule: counted on its day, at its grid on the month-end tree
-- build: month
select
    $month as month,
    event.source,
    event.event_id,
    event.day,
    map.unit_id as grid_id,
    event.line,
    event.indicator,
    event.site,
    event.count,
    event.severity,
    event.reason,
    event.evidence,
    event.first_delivered_at >= info.cutoff_at as is_late,
    event.file,
    event.sheet,
    event.row_no
from core.event as event
inner join core.month_info as info
    on info.month = $month
inner join core.month_map as map
    on event.grid_id = map.grid_id
    and map.month = $month
where event.day >= $month
    and event.day < $month + interval 1 month
