-- grain: one row per repair request that the month has to do with
-- rule: only what had happened before the month's end counts; void requests
--   are in no count
-- build: month
with info as (
    select
        info.month_start,
        info.month_end,
        info.cutoff_at
    from core.month_info as info
    where info.month = $month
),

seen as (
    select
        repair.* exclude (arrived_at, finished_at, called_back_at),
        case when repair.arrived_at < info.month_end then repair.arrived_at end as arrived_at,
        case when repair.finished_at < info.month_end then repair.finished_at end as finished_at,
        case when repair.called_back_at < info.month_end then repair.called_back_at end as called_back_at,
        info.month_start,
        info.month_end,
        info.cutoff_at
    from core.repair as repair
    cross join info
    where repair.reported_at < info.month_end
        and (
            repair.reported_at >= info.month_start
            or repair.due_at >= info.month_start
            or repair.arrive_due_at >= info.month_start
            or repair.finished_at is null
            or repair.finished_at >= info.month_start
        )
)

select
    $month as month,
    seen.source,
    seen.repair_id,
    map.unit_id as grid_id,
    seen.home_key,
    seen.is_common,
    seen.part,
    seen.kind,
    seen.urgency,
    seen.reported_at,
    seen.arrived_at,
    seen.arrive_due_at,
    seen.due_at,
    seen.finished_at,
    seen.called_back_at,
    seen.state,
    seen.satisfaction,
    seen.is_in_warranty,
    seen.budget,
    seen.approved_amount,
    seen.settled_amount,
    seen.paid_amount,
    seen.project,
    seen.reported_at >= seen.month_start as is_reported,
    coalesce(
        seen.due_at >= seen.month_start and seen.due_at < seen.month_end, false
    ) as is_due,
    coalesce(
        seen.arrive_due_at >= seen.month_start
        and seen.arrive_due_at < seen.month_end, false
    ) as is_arrival_due,
    coalesce(seen.finished_at >= seen.month_start, false) as is_finished,
    coalesce(
        seen.due_at < seen.month_end and seen.finished_at is null, false
    ) as is_overdue_open,
    seen.state = 'void' as is_excluded,
    seen.first_delivered_at >= seen.cutoff_at as is_late,
    seen.file,
    seen.sheet,
    seen.row_no
from seen
inner join core.month_map as map
    on seen.grid_id = map.grid_id
    and map.month = $month
