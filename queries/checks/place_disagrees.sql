-- title: a place does not follow from the published totals
-- severity: error
-- rule: competition ranking on the published total: 1, 2, 2, 4
with unit as (
    select
        ranking.level,
        ranking.peer_group,
        ranking.grid_id,
        ranking.total,
        ranking.place
    from ranking.total as ranking
    where ranking.month = $month
        and ranking.place is not null
)

select
    unit.level,
    unit.peer_group,
    unit.grid_id,
    unit.total,
    unit.place,
    1 + count(better.grid_id) as place_by_total
from unit
left join unit as better
    on unit.level = better.level
    and unit.peer_group = better.peer_group
    and unit.total < better.total
group by all
having unit.place <> 1 + count(better.grid_id)
order by unit.level, unit.peer_group, unit.grid_id
