-- grain: one row per unit and rubric row that is a rate
-- rule: what a rate meets that the formulas do not hold: the first band that it
--   reaches, its place among its peers with the coefficient of that place, the
--   sum of its group, the k of its level
-- build: month
with basis as (
    select
        basis.indicator,
        basis.level,
        basis.grid_id,
        basis.numerator::hugeint as numerator,
        basis.denominator::hugeint as denominator,
        rule.rule,
        rule.k,
        rule.valid_from,
        unit.peer_group
    from score.basis as basis
    inner join score.rule as rule
        on basis.indicator = rule.indicator
        and basis.level = rule.level
        and rule.month = $month
    inner join core.month_unit as unit
        on basis.grid_id = unit.grid_id
        and unit.month = $month
    where basis.month = $month
),

placed as (
    select
        basis.*,
        -- 10⁻¹² is finer than any two rates of a town can differ unseen.
        rank() over (
            partition by basis.indicator, basis.level, basis.peer_group
            order by
                basis.numerator * 1000000000000
                // nullif(basis.denominator, 0) desc nulls last
        ) as place,
        sum(basis.numerator) over (
            partition by basis.indicator, basis.level, basis.peer_group
        ) as group_sum
    from basis
)

select
    $month as month,
    placed.indicator,
    placed.level,
    placed.grid_id,
    placed.place,
    placed.group_sum::bigint as group_sum,
    arg_min(step.points, step.step) filter (
        placed.rule = 'bands'
        and placed.numerator * 1000000 >= step.threshold * placed.denominator
    ) as band,
    arg_max(step.points, step.threshold) filter (
        placed.rule = 'coefficient' and step.threshold <= placed.place
    ) as coefficient,
    coalesce(
        max(step.points) filter (
            placed.rule = 'density' and step.part = placed.level::text
        ),
        placed.k
    ) as k
from placed
left join seed.rubric_step as step
    on placed.indicator = step.indicator
    and placed.valid_from = step.valid_from
group by
    placed.indicator, placed.level, placed.grid_id, placed.place,
    placed.group_sum, placed.k
order by placed.indicator, placed.level, placed.grid_id
