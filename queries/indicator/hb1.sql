-- grain: one row per grid and class
-- rule: HB1 valid patrols ÷ planned; more than planned does not count
-- cohort: month-end
with done as (
    select
        activity.grid_id,
        coalesce(activity.class, '') as class,
        count(*) as done
    from core.month_activity as activity
    where activity.month = $month
        and activity.kind = 'patrol'
        and activity.is_valid
    group by activity.grid_id, coalesce(activity.class, '')
),

plan as (
    select
        plan.grid_id,
        coalesce(plan.class, '') as class,
        sum(plan.required)::bigint as required
    from core.month_plan as plan
    where plan.month = $month
        and plan.kind = 'patrol'
        and plan.grid_id is not null
    group by plan.grid_id, coalesce(plan.class, '')
)

select
    plan.grid_id,
    plan.class as part,
    null::date as day,
    least(coalesce(done.done, 0), plan.required)::bigint as numerator,
    plan.required as denominator
from plan
left join done
    on plan.grid_id = done.grid_id
    and plan.class = done.class
order by plan.grid_id, plan.class
