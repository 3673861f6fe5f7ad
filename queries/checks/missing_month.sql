-- title: a month between the first and this one was never computed
-- severity: error
-- rule: trailing rates and streaks need every month
with first as (
    select min(info.month) as month
    from core.month_info as info
),

expected as (
    select unnest(generate_series(
        first.month::timestamp, $month::timestamp, interval 1 month
    ))::date as month
    from first
)

select expected.month
from expected
anti join core.month_info as info
    on expected.month = info.month
order by expected.month
