-- grain: one row per grid that is valid on the month's last day
-- rule: a month is scored on the tree of its last day; households of that day
-- build: month
with unit as (
    select
        grid.grid_id,
        grid.level,
        grid.parent_id,
        grid.name,
        grid.households,
        grid.peer_group,
        grid.has_party_group
    from seed.grid as grid
    where grid.valid_from < $month + interval 1 month
        and (
            grid.valid_to is null
            or grid.valid_to >= $month + interval 1 month - interval 1 day
        )
),

placed as (
    select
        unit.*,
        case unit.level
            when 2 then unit.grid_id
            when 3 then parent.grid_id
            when 4 then above.grid_id
        end as community_id,
        case unit.level
            when 3 then unit.grid_id
            when 4 then parent.grid_id
        end as area_id,
        case unit.level
            when 4 then above.name || parent.name || unit.name
            when 3 then parent.name || unit.name
            else unit.name
        end as path
    from unit
    left join unit as parent
        on unit.parent_id = parent.grid_id
    left join unit as above
        on parent.parent_id = above.grid_id
),

-- A unit above the buildings has the households of the buildings below it.
below as (
    select
        ancestor.grid_id,
        sum(building.households)::bigint as households
    from placed as ancestor
    inner join placed as building
        on building.level = 4
        and (
            ancestor.level = 1
            or ancestor.grid_id in (building.community_id, building.area_id)
        )
    where ancestor.level < 4
    group by ancestor.grid_id
)

select
    $month as month,
    placed.grid_id,
    placed.level,
    placed.parent_id,
    placed.name,
    placed.path,
    placed.community_id,
    placed.area_id,
    coalesce(below.households, placed.households) as households,
    case placed.level
        when 4 then coalesce(nullif(placed.peer_group, ''), '全部')
        else '全部'
    end as peer_group,
    placed.has_party_group
from placed
left join below
    on placed.grid_id = below.grid_id
order by placed.grid_id
