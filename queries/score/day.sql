-- grain: one row per unit and day_bands row that has a day with enough cases
-- rule: Σ over days with min_cases of the deduction of the band that the day's
--   rate falls in (the lowest that it lies below)
-- build: month
with day as (
    select
        measure.indicator,
        measure.level,
        measure.grid_id,
        measure.day,
        rule.valid_from,
        sum(measure.numerator)::hugeint as numerator,
        sum(measure.denominator)::hugeint as denominator
    from score.measure as measure
    inner join score.rule as rule
        on measure.indicator = rule.indicator
        and measure.level = rule.level
        and rule.month = $month
        and rule.rule = 'day_bands'
    where measure.month = $month
    group by
        measure.indicator, measure.level, measure.grid_id, measure.day,
        rule.valid_from, rule.min_cases
    having sum(measure.denominator) >= rule.min_cases
),

banded as (
    select
        day.indicator,
        day.level,
        day.grid_id,
        day.day,
        coalesce(arg_min(step.points, step.threshold), 0) as taken
    from day
    left join seed.rubric_step as step
        on day.indicator = step.indicator
        and day.valid_from = step.valid_from
        and day.numerator * 1000000 < step.threshold * day.denominator
    group by day.indicator, day.level, day.grid_id, day.day
)

select
    $month as month,
    banded.indicator,
    banded.level,
    banded.grid_id,
    count(*)::bigint as days,
    sum(banded.taken)::bigint as taken
from banded
group by banded.indicator, banded.level, banded.grid_id
