-- grain: one row per unit
-- rule: WH1 items met ÷ items observed
-- cohort: month-end
select
    returned.grid_id,
    null::text as part,
    null::date as day,
    returned.numerator::bigint as numerator,
    returned.denominator::bigint as denominator
from core.month_return as returned
where returned.month = $month
    and returned.item = 'wh1'
order by returned.grid_id
