-- grain: one row per repair request and indicator that it counts against
-- rule: the repair rows behind each repair indicator, by the same words as its
--   own query
-- build: month
with repair as (
    select
        repair.*,
        info.repair_satisfaction,
        exists (
            select 1
            from core.repair as finished
            where finished.home_key = repair.home_key
                and finished.part = repair.part
                and finished.kind = '渗漏'
                and finished.state <> 'void'
                and finished.finished_at >= $month - interval 12 month
                and finished.finished_at < $month + interval 1 month
                and finished.finished_at < repair.reported_at
                and finished.finished_at
                >= repair.reported_at - interval 12 month
        ) as is_again
    from core.month_repair as repair
    inner join core.month_info as info
        on repair.month = info.month
    where repair.month = $month
        and not repair.is_excluded
),

judged as (
    select
        repair.source,
        repair.repair_id,
        repair.grid_id,
        repair.reported_at,
        repair.due_at,
        rule.indicator,
        rule.against
    from repair
    cross join lateral (
        values
            ('wg1', 'unfinished', repair.is_due and repair.finished_at is null),
            ('wg2', 'late_on_site', repair.is_arrival_due
                and not coalesce(repair.arrived_at <= repair.arrive_due_at, false)),
            ('wg3', 'not_satisfied', repair.is_due
                and (repair.called_back_at is not null or repair.repair_satisfaction = 'all')
                and not coalesce(repair.called_back_at is not null and repair.satisfaction = 'satisfied', false)),
            ('wg9', 'again', repair.is_reported and repair.kind = '渗漏' and repair.is_again)
    ) as rule(indicator, against, is_against)
    where rule.is_against
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
    1::bigint as weight
from judged
order by judged.indicator, judged.source, judged.repair_id
