-- grain: one row per unit and each unit that holds it, itself included
-- rule: what happens in a grid counts for the grid and for all above it
-- build: month
with unit as (
    select
        unit.grid_id,
        unit.level,
        unit.area_id,
        unit.community_id
    from core.month_unit as unit
    where unit.month = $month
),

town as (
    select unit.grid_id
    from unit
    where unit.level = 1
),

pair as (
    select
        unit.grid_id,
        unit.grid_id as ancestor_id,
        unit.level
    from unit
    union all
    select
        unit.grid_id,
        unit.area_id,
        3
    from unit
    where unit.level > 3
    union all
    select
        unit.grid_id,
        unit.community_id,
        2
    from unit
    where unit.level > 2
    union all
    select
        unit.grid_id,
        town.grid_id,
        1
    from unit
    cross join town
    where unit.level > 1
)

select
    $month as month,
    pair.grid_id,
    pair.ancestor_id,
    pair.level::integer as level
from pair
where pair.ancestor_id is not null
order by pair.grid_id, pair.level
