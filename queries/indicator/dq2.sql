-- grain: one row per unit
-- rule: DQ2 attended ÷ should attend
-- cohort: month-end
select
    returned.grid_id,
    null::text as part,
    null::date as day,
    returned.numerator::bigint as numerator,
    returned.denominator::bigint as denominator
from core.month_return as returned
where returned.month = $month
    and returned.item = 'dq2'
order by returned.grid_id
