-- grain: one row per grid, kind and class of planned visits or patrols that fell
--   short
-- rule: what is missing has no record of its own, so the plan's row stands for
--   it; patrols count each, homes and firms once
-- build: month
with plan as (
    select
        map.unit_id as grid_id,
        plan.kind,
        coalesce(plan.class, '') as class,
        min(plan.source) as source,
        min(plan.source_key) as source_key,
        arg_min(plan.file, (plan.source, plan.source_key)) as file,
        arg_min(plan.sheet, (plan.source, plan.source_key)) as sheet,
        arg_min(plan.row_no, (plan.source, plan.source_key)) as row_no,
        sum(plan.required)::bigint as required
    from core.plan as plan
    inner join core.month_map as map
        on plan.grid_id = map.grid_id
        and map.month = $month
    where plan.month = $month
        and plan.grid_id is not null
    group by map.unit_id, plan.kind, coalesce(plan.class, '')
),

done as (
    select
        activity.grid_id,
        activity.kind,
        coalesce(activity.class, '') as class,
        count(*) filter (activity.kind = 'patrol')
        + count(distinct activity.object_key)
            filter (activity.kind <> 'patrol') as done
    from core.month_activity as activity
    where activity.month = $month
        and activity.is_valid
    group by activity.grid_id, activity.kind, coalesce(activity.class, '')
)

select
    $month as month,
    clause.indicator,
    plan.source,
    plan.source_key as record,
    plan.grid_id,
    $month as day,
    plan.class as against,
    coalesce(done.done, 0) as numerator,
    plan.required as denominator,
    plan.file,
    plan.sheet,
    plan.row_no
from plan
inner join (
    values ('patrol', 'hb1'), ('firm_visit', 'jj8'), ('elder_visit', 'mz1')
) as clause(kind, indicator)
    on plan.kind = clause.kind
left join done
    on plan.grid_id = done.grid_id
    and plan.kind = done.kind
    and plan.class = done.class
where plan.required > coalesce(done.done, 0)
order by clause.indicator, plan.grid_id, plan.class
