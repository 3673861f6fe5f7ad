-- grain: one row per patrol or visit that counts as done
-- rule: work beyond the plan does not count and a home or firm counts once, so
--   the first records of each are listed, as many as HB1, JJ8 and MZ1 count
-- build: month
with done as (
    select
        activity.*,
        coalesce(activity.class, '') as part,
        case activity.kind
            when 'patrol' then 'hb1'
            when 'firm_visit' then 'jj8'
            else 'mz1'
        end as indicator
    from core.month_activity as activity
    where activity.month = $month
        and activity.is_valid
        and (
            activity.kind = 'patrol'
            or activity.kind in ('firm_visit', 'elder_visit')
            and activity.object_key is not null
        )
    qualify activity.kind = 'patrol'
        or row_number() over (
            partition by
                activity.grid_id, activity.kind, coalesce(activity.class, ''),
                activity.object_key
            order by activity.done_at, activity.source, activity.activity_id
        ) = 1
),

plan as (
    select
        plan.grid_id,
        plan.kind,
        coalesce(plan.class, '') as part,
        sum(plan.required)::bigint as required
    from core.month_plan as plan
    where plan.month = $month
        and plan.grid_id is not null
    group by plan.grid_id, plan.kind, coalesce(plan.class, '')
)

select
    $month as month,
    done.indicator,
    done.source,
    done.activity_id as record,
    done.grid_id,
    done.done_at::date as day,
    done.file,
    done.sheet,
    done.row_no
from done
inner join plan
    on done.grid_id = plan.grid_id
    and done.kind = plan.kind
    and done.part = plan.part
qualify row_number() over (
    partition by done.grid_id, done.kind, done.part
    order by done.done_at, done.source, done.activity_id
) <= plan.required
order by done.indicator, done.source, done.activity_id
