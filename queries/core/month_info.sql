-- grain: one row per month
-- rule: a month is judged on what had happened before month_end, as delivered
--   before cutoff_at: the end of the 3rd working day of the next month
-- build: month
with last_day as (
    select
        calendar.working_day_no,
        calendar.day
    from seed.calendar as calendar
    where calendar.day = $month + interval 1 month - interval 1 day
),

cutoff as (
    select calendar.day
    from seed.calendar as calendar
    inner join last_day
        on calendar.working_day_no = last_day.working_day_no + 3
    where calendar.is_working
),

working as (
    select count(*) as working_days
    from seed.calendar as calendar
    where calendar.is_working
        and calendar.day >= $month
        and calendar.day < $month + interval 1 month
)

select
    $month as month,
    $month::timestamp as month_start,
    $month + interval 1 month as month_end,
    cutoff.day + interval 1 day as cutoff_at,
    version.version as rubric_version,
    version.name as rubric_name,
    version.rounding,
    version.min_cases,
    version.pool_cases,
    version.min_coverage,
    version.repair_satisfaction,
    working.working_days
from seed.rubric_version as version
cross join cutoff
cross join working
where version.valid_from <= $month
    and (version.valid_to is null or version.valid_to >= $month)
