-- grain: one row per unit
-- rule: JJ1 investment to date ÷ plan to date, in hundredths of the unit
-- cohort: month-end
select
    returned.grid_id,
    null::text as part,
    null::date as day,
    (returned.numerator * 100)::bigint as numerator,
    (returned.denominator * 100)::bigint as denominator
from core.month_return as returned
where returned.month = $month
    and returned.item = 'jj1'
order by returned.grid_id
