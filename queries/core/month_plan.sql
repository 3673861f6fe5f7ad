-- grain: one row per grid, person, kind and class
-- rule: what the month requires, on the month-end tree
-- build: month
select
    $month as month,
    map.unit_id as grid_id,
    plan.staff_id,
    plan.kind,
    plan.class,
    sum(plan.required)::bigint as required
from core.plan as plan
left join core.month_map as map
    on plan.grid_id = map.grid_id
    and map.month = $month
where plan.month = $month
group by map.unit_id, plan.staff_id, plan.kind, plan.class
