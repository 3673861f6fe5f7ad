-- grain: one row per repair indicator and request that it counts
-- rule: the requests behind WG1, WG2 and WG3, by the same words as their own
--   queries, and the leaks behind WG9; against says why one is lost, is_base
--   whether the denominator has it
-- build: month
with repair as (
    select
        repair.*,
        info.repair_satisfaction
    from core.month_repair as repair
    inner join core.month_info as info
        on repair.month = info.month
    where repair.month = $month
        and not repair.is_excluded
),

judged as (
    select
        repair.*,
        rule.indicator,
        rule.against
    from repair
    cross join lateral (
        values
            ('wg1', repair.is_due, case when repair.finished_at is null then 'unfinished' end),
            ('wg2', repair.is_arrival_due, case when not coalesce(repair.arrived_at <= repair.arrive_due_at, false) then 'late_on_site' end),
            ('wg3', repair.is_due and (repair.called_back_at is not null or repair.repair_satisfaction = 'all'),
                case when not coalesce(repair.called_back_at is not null and repair.satisfaction = 'satisfied', false) then 'not_satisfied' end)
    ) as rule(indicator, is_counted, against)
    where rule.is_counted
)

select
    $month as month,
    judged.indicator,
    judged.source,
    judged.repair_id as record,
    judged.grid_id,
    judged.reported_at::date as day,
    judged.due_at::date as due_day,
    judged.against,
    true as is_base,
    judged.file,
    judged.sheet,
    judged.row_no
from judged
union all
select
    $month,
    'wg9',
    leak.source,
    leak.record,
    leak.grid_id,
    leak.day,
    leak.due_day,
    leak.against,
    leak.is_base,
    leak.file,
    leak.sheet,
    leak.row_no
from bulletin.counted_leak as leak
where leak.month = $month
order by indicator, source, record
