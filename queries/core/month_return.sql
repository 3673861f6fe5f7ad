-- grain: one row per unit and item
-- rule: as the line returned it for the month, on the month-end tree; an item
--   without its figures was not returned
-- build: month
select
    $month as month,
    map.unit_id as grid_id,
    returned.line,
    returned.item,
    sum(returned.numerator)::decimal(18, 2) as numerator,
    sum(returned.denominator)::decimal(18, 2) as denominator,
    max(returned.value) as value,
    bool_or(returned.first_delivered_at >= info.cutoff_at) as is_late
from core."return" as returned
inner join core.month_info as info
    on info.month = $month
inner join core.month_map as map
    on returned.grid_id = map.grid_id
    and map.month = $month
where returned.month = $month
    and (
        returned.value is not null
        or returned.numerator is not null and returned.denominator is not null
    )
group by map.unit_id, returned.line, returned.item
