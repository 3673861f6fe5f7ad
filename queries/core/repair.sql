-- grain: one row per repair request of a source
-- rule: finished by the day given, else by our working days; on site in time:
--   urgent 30 minutes, other 1 working day after the request
-- build: merge on source, source_key
with time_limit as (
    select
        time_limit.urgency,
        max(case when time_limit.stage = 'settle' then time_limit.amount end)
            as settle_days,
        max(case when time_limit.stage = 'arrive'
            and time_limit.clock = 'working_day' then time_limit.amount end)
            as arrive_days,
        max(case when time_limit.stage = 'arrive'
            and time_limit.clock = 'minute' then time_limit.amount end)
            as arrive_minutes
    from seed.time_limit as time_limit
    where time_limit.category = 'repair'
    group by time_limit.urgency
)

select
    repair.*,
    coalesce(
        repair.due_given_at, settle_day.day + interval 86399 second
    ) as due_at,
    coalesce(
        repair.reported_at + to_minutes(time_limit.arrive_minutes),
        arrive_day.day + interval 86399 second
    ) as arrive_due_at,
    coalesce(
        repair.reported_at::date <= repair.warranty_until, false
    ) as is_in_warranty
from landed.repair as repair
left join time_limit
    on coalesce(repair.urgency, 'normal') = time_limit.urgency
left join seed.calendar as start_day
    on repair.reported_at::date = start_day.day
left join seed.calendar as settle_day
    on start_day.working_day_no + time_limit.settle_days
    = settle_day.working_day_no
    and settle_day.is_working
left join seed.calendar as arrive_day
    on start_day.working_day_no + time_limit.arrive_days
    = arrive_day.working_day_no
    and arrive_day.is_working
