-- grain: one row per unit
-- rule: DQ1 meetings missed: required − held, not below 0
-- cohort: month-end
select
    returned.grid_id,
    'missed' as part,
    null::date as day,
    greatest(
        returned.denominator - returned.numerator, 0
    )::bigint as numerator,
    returned.denominator::bigint as denominator
from core.month_return as returned
where returned.month = $month
    and returned.item = 'dq1'
order by returned.grid_id
