-- grain: one row per person
-- rule: ST3 valid reports ÷ reports
-- cohort: month-end
-- subject: staff
select
    activity.staff_id,
    null::text as part,
    null::date as day,
    count(*) filter (activity.is_valid)::bigint as numerator,
    count(*)::bigint as denominator
from core.month_activity as activity
where activity.month = $month
    and activity.staff_id is not null
    and activity.kind = 'report'
group by activity.staff_id
order by activity.staff_id
