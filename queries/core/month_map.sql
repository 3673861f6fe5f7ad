-- grain: one row per grid ever known
-- rule: a fact of a grid that is no more counts at its successor (the lowest
--   code, when it was split), else at the unit above it
-- build: month
with recursive known as (
    select distinct grid.grid_id
    from seed.grid as grid
),

successor as (
    select
        predecessor.grid_id,
        min(predecessor.successor_id) as successor_id
    from (
        select
            unnest(grid.predecessors) as grid_id,
            grid.grid_id as successor_id
        from seed.grid as grid
    ) as predecessor
    group by predecessor.grid_id
),

walk as (
    select
        known.grid_id,
        known.grid_id as at_id,
        0 as steps
    from known
    union all
    select
        walk.grid_id,
        successor.successor_id,
        walk.steps + 1
    from walk
    inner join successor
        on walk.at_id = successor.grid_id
    where walk.steps < 20
),

reached as (
    select
        walk.grid_id,
        arg_min(walk.at_id, walk.steps) as unit_id
    from walk
    semi join core.month_unit as unit
        on walk.at_id = unit.grid_id
        and unit.month = $month
    group by walk.grid_id
),

above as (
    select
        grid.grid_id,
        max(parent.grid_id) as parent_id,
        max(upper.grid_id) as upper_id
    from seed.grid as grid
    left join core.month_unit as parent
        on grid.parent_id = parent.grid_id
        and parent.month = $month
    left join seed.grid as lost
        on grid.parent_id = lost.grid_id
    left join core.month_unit as upper
        on lost.parent_id = upper.grid_id
        and upper.month = $month
    group by grid.grid_id
)

select
    $month as month,
    known.grid_id,
    coalesce(reached.unit_id, above.parent_id, above.upper_id) as unit_id
from known
left join reached
    on known.grid_id = reached.grid_id
left join above
    on known.grid_id = above.grid_id
where coalesce(reached.unit_id, above.parent_id, above.upper_id) is not null
order by known.grid_id
