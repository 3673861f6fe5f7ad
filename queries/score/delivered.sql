-- grain: one row per kind of fact that has been delivered for the month
-- rule: not reported is never imputed: tickets and repairs are delivered once a
--   file came after the month's end, activities, events and returns with a
--   file of the month; the grid tree is always there
-- build: month
with info as (
    select info.month_end
    from core.month_info as info
    where info.month = $month
)

select distinct
    $month as month,
    load.target as fact
from core.load as load
cross join info
where case
    when load.target in ('ticket', 'repair')
        then load.delivered_at >= info.month_end
    else load.month = $month
end
union all
select
    $month,
    'grid'
order by fact
