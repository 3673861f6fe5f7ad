-- title: scores and places on the lines, of communities (level 2) and areas (level 3)
select
    line.level,
    line.peer_group,
    line.line,
    line.grid_id,
    unit.path as name,
    line.score,
    line.place,
    line.is_tied,
    line.units,
    line.last_place,
    line.score_change
from ranking.line as line
inner join core.month_unit as unit
    on line.grid_id = unit.grid_id
    and unit.month = $month
where line.month = $month
    and line.level <= 3
order by line.level, line.line, line.peer_group, line.place nulls last, line.grid_id
