-- grain: one row per grid ever known
-- rule: a fact of a grid that is no more counts at its successor (the lowest
--   code, when it was split), else at the last unit above it or that one's
--   successor
-- build: month
with recursive known as (
    select
        grid.grid_id,
        arg_max(grid.parent_id, grid.valid_from) as parent_id
    from seed.grid as grid
    group by grid.grid_id
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
)

select
    $month as month,
    known.grid_id,
    coalesce(own.unit_id, parent.unit_id, upper.unit_id) as unit_id
from known
left join reached as own
    on known.grid_id = own.grid_id
left join reached as parent
    on known.parent_id = parent.grid_id
left join known as lost
    on known.parent_id = lost.grid_id
left join reached as upper
    on lost.parent_id = upper.grid_id
where coalesce(own.unit_id, parent.unit_id, upper.unit_id) is not null
order by known.grid_id
