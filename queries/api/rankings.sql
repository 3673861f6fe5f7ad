-- title: totals and places of communities (level 2) and areas (level 3)
select
    total.level,
    total.peer_group,
    total.grid_id,
    unit.path as name,
    total.total,
    total.place,
    total.is_tied,
    total.units,
    total.last_place,
    total.place_change,
    total.total_change,
    total.is_comparable
from ranking.total as total
inner join core.month_unit as unit
    on total.grid_id = unit.grid_id
    and unit.month = $month
where total.month = $month
    and total.level <= 3
order by total.level, total.peer_group, total.place nulls last, total.grid_id
