-- grain: one row per activity of the month
-- rule: counted in the month in which it was done, on the month-end tree
-- build: month
select
    $month as month,
    activity.source,
    activity.activity_id,
    activity.kind,
    activity.class,
    activity.object_key,
    activity.done_at,
    activity.staff_id,
    map.unit_id as grid_id,
    activity.is_valid,
    activity.checked,
    activity.found_right,
    activity.first_delivered_at >= info.cutoff_at as is_late,
    activity.file,
    activity.sheet,
    activity.row_no
from core.activity as activity
inner join core.month_info as info
    on info.month = $month
inner join core.month_map as map
    on activity.grid_id = map.grid_id
    and map.month = $month
where activity.done_at >= $month
    and activity.done_at < $month + interval 1 month
