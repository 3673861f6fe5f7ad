-- grain: one row per unit
-- rule: JJ6 new businesses ÷ target
-- cohort: month-end
select
    returned.grid_id,
    null::text as part,
    null::date as day,
    returned.numerator::bigint as numerator,
    returned.denominator::bigint as denominator
from core.month_return as returned
where returned.month = $month
    and returned.item = 'jj6'
order by returned.grid_id
