-- grain: one row per returned figure below its base
-- rule: returns of the lines by item; points only where a missed one has a price
--   (a deduct row), below 0
-- build: month
with clause as (
    select
        rubric.indicator,
        max(step.points) filter (rubric.rule = 'deduct') as price
    from seed.rubric as rubric
    left join seed.rubric_step as step
        on rubric.indicator = step.indicator
        and rubric.valid_from = step.valid_from
    where rubric.fact = 'return'
        and rubric.points is not null
        and rubric.valid_from <= $month
        and (rubric.valid_to is null or rubric.valid_to >= $month)
    group by rubric.indicator
)

select
    $month as month,
    returned.item as indicator,
    returned.source,
    returned.source_key as record,
    map.unit_id as grid_id,
    returned.first_delivered_at::date as day,
    'below' as against,
    returned.numerator,
    returned.denominator,
    (
        -clause.price * (returned.denominator - returned.numerator)
    )::bigint as points,
    returned.file,
    returned.sheet,
    returned.row_no
from core."return" as returned
inner join clause
    on returned.item = clause.indicator
inner join core.month_map as map
    on returned.grid_id = map.grid_id
    and map.month = $month
where returned.month = $month
    and returned.numerator < returned.denominator
order by returned.item, returned.source, returned.source_key
