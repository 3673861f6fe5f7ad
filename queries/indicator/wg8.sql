-- grain: one row per unit
-- rule: WG8 fees collected ÷ fees due, in fen
-- cohort: month-end
select
    returned.grid_id,
    null::text as part,
    null::date as day,
    (returned.numerator * 100)::bigint as numerator,
    (returned.denominator * 100)::bigint as denominator
from core.month_return as returned
where returned.month = $month
    and returned.item = 'wg8'
order by returned.grid_id
