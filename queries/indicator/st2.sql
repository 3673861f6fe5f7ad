-- grain: one row per person
-- rule: ST2 records found right ÷ checked
-- cohort: month-end
-- subject: staff
select
    activity.staff_id,
    null::text as part,
    null::date as day,
    sum(activity.found_right)::bigint as numerator,
    sum(activity.checked)::bigint as denominator
from core.month_activity as activity
where activity.month = $month
    and activity.staff_id is not null
    and activity.kind = 'record'
group by activity.staff_id
order by activity.staff_id
