-- grain: one row per building grid
-- rule: DQ5 building grids with a party group ÷ building grids
-- cohort: month-end
select
    unit.grid_id,
    null::text as part,
    null::date as day,
    case when unit.has_party_group then 1 else 0 end::bigint as numerator,
    1::bigint as denominator
from core.month_unit as unit
where unit.month = $month
    and unit.level = 4
order by unit.grid_id
