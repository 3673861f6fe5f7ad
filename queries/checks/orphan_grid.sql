-- title: a counted row names a grid that is not in the month's tree
-- severity: error
-- rule: every fact belongs to a unit of the month-end tree
select
    value.indicator,
    value.grid_id,
    count(*) as rows_without_unit
from indicator.value as value
anti join core.month_unit as unit
    on value.grid_id = unit.grid_id
    and value.month = unit.month
where value.month = $month
group by value.indicator, value.grid_id
order by value.indicator, value.grid_id
