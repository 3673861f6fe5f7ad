-- grain: one row per repair of a leak that WG9 counts
-- rule: what came again in the month (against) is divided by the leak repairs
--   finished in the 12 months up to its end (is_base); a request can be both
-- build: month
with finished as (
    select
        repair.*,
        map.unit_id
    from core.repair as repair
    inner join core.month_map as map
        on repair.grid_id = map.grid_id
        and map.month = $month
    where repair.kind = '渗漏'
        and repair.state <> 'void'
        and repair.finished_at >= $month - interval 12 month
        and repair.finished_at < $month + interval 1 month
),

counted as (
    select
        finished.source,
        finished.repair_id,
        finished.unit_id as grid_id,
        finished.reported_at,
        finished.due_at,
        false as is_again,
        true as is_base,
        finished.file,
        finished.sheet,
        finished.row_no
    from finished
    where finished.finished_at >= $month - interval 11 month
    union all
    select
        repair.source,
        repair.repair_id,
        repair.grid_id,
        repair.reported_at,
        repair.due_at,
        true,
        false,
        repair.file,
        repair.sheet,
        repair.row_no
    from core.month_repair as repair
    where repair.month = $month
        and repair.is_reported
        and repair.kind = '渗漏'
        and not repair.is_excluded
        and exists (
            select 1
            from finished
            where finished.home_key = repair.home_key
                and finished.part = repair.part
                and finished.finished_at < repair.reported_at
                and finished.finished_at
                >= repair.reported_at - interval 12 month
        )
)

select
    $month as month,
    counted.source,
    counted.repair_id as record,
    counted.grid_id,
    any_value(counted.reported_at)::date as day,
    any_value(counted.due_at)::date as due_day,
    case when bool_or(counted.is_again) then 'again' end as against,
    bool_or(counted.is_base) as is_base,
    any_value(counted.file) as file,
    any_value(counted.sheet) as sheet,
    any_value(counted.row_no) as row_no
from counted
group by counted.source, counted.repair_id, counted.grid_id
order by counted.source, counted.repair_id
