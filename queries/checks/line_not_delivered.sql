-- title: a line has not delivered for a unit; the total is provisional
-- severity: warn
-- rule: design: not reported is never imputed
select
    line.line,
    unit.name as unit
from score.line as line
inner join core.month_unit as unit
    on line.grid_id = unit.grid_id
    and line.month = unit.month
where line.month = $month
    and line.level = 2
    and line.state = 'not_reported'
order by line.line, unit.name
