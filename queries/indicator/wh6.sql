-- grain: one row per unit
-- rule: WH6 survey score ÷ 100, in hundredths of a point; without a score
--   there was no survey
-- cohort: month-end
select
    returned.grid_id,
    null::text as part,
    null::date as day,
    (returned.value * 100)::bigint as numerator,
    10000::bigint as denominator
from core.month_return as returned
where returned.month = $month
    and returned.item = 'wh6'
    and returned.value is not null
order by returned.grid_id
