-- title: the tree of the month: town (level 1), communities (2), areas (3)
select
    unit.grid_id,
    unit.level,
    unit.parent_id,
    unit.name,
    unit.path,
    unit.community_id,
    unit.households,
    unit.peer_group
from core.month_unit as unit
where unit.month = $month
    and unit.level <= 3
order by unit.level, unit.grid_id
