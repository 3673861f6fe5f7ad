-- grain: one row per community and month of the last twelve
-- rule: published totals as they stand in this build
-- build: month
select
    $month as month,
    ranking.month as of_month,
    unit.grid_id,
    unit.name,
    ranking.total,
    ranking.place
from ranking.total as ranking
inner join core.month_unit as unit
    on ranking.grid_id = unit.grid_id
    and unit.month = $month
where ranking.month > $month - interval 12 month
    and ranking.month <= $month
    and ranking.level = 2
order by unit.grid_id, ranking.month
