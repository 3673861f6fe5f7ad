-- grain: one row per unit
-- rule: MZ3 on time ÷ applications due
-- cohort: month-end
select
    returned.grid_id,
    null::text as part,
    null::date as day,
    returned.numerator::bigint as numerator,
    returned.denominator::bigint as denominator
from core.month_return as returned
where returned.month = $month
    and returned.item = 'mz3'
order by returned.grid_id
