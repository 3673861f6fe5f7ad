-- grain: one row per person, kind and class
-- rule: ST1 planned visits, patrols and tasks done ÷ required; more than
--   required does not count, and a home or firm counts once
-- cohort: month-end
-- subject: staff
with done as (
    select
        activity.staff_id,
        activity.kind,
        coalesce(activity.class, '') as class,
        case
            when activity.kind in ('elder_visit', 'firm_visit')
                then count(distinct activity.object_key)
            else count(*)
        end as done
    from core.month_activity as activity
    where activity.month = $month
        and activity.is_valid
    group by activity.staff_id, activity.kind, coalesce(activity.class, '')
),

plan as (
    select
        plan.staff_id,
        plan.kind,
        coalesce(plan.class, '') as class,
        sum(plan.required)::bigint as required
    from core.month_plan as plan
    where plan.month = $month
        and plan.staff_id is not null
    group by plan.staff_id, plan.kind, coalesce(plan.class, '')
)

select
    plan.staff_id,
    plan.kind || ' ' || plan.class as part,
    null::date as day,
    least(coalesce(done.done, 0), plan.required)::bigint as numerator,
    plan.required as denominator
from plan
left join done
    on plan.staff_id = done.staff_id
    and plan.kind = done.kind
    and plan.class = done.class
order by plan.staff_id, plan.kind, plan.class
