-- grain: one row per unit and line that exists at its level
-- rule: the rows' points on a base of 100, minus line deductions, not below 0,
--   plus bonus (at most 5, at most 105), then the cap of a veto; rounded once
--   to two places. One row not reported: the line is not scored
-- build: month
with info as (
    select info.rounding
    from core.month_info as info
    where info.month = $month
),

based as (
    select
        base.*,
        coalesce(adjustment.deduction, 0) as deduction,
        coalesce(adjustment.bonus, 0) as bonus,
        adjustment.cap
    from score.base as base
    left join score.adjustment as adjustment
        on base.level = adjustment.level
        and base.grid_id = adjustment.grid_id
        and base.line = adjustment.line
        and adjustment.month = $month
    where base.month = $month
),

exact as (
    select
        based.*,
        least(
            greatest(based.base - based.deduction, 0) + based.bonus, 105000000,
            coalesce(based.cap, 105000000)
        ) as points
    from based
),

rounded as (
    select
        exact.*,
        case
            when info.rounding = 'half_even'
                and exact.points % 10000 = 5000
                and exact.points // 10000 % 2 = 0
                then exact.points // 10000
            else (exact.points + 5000) // 10000
        end as cents
    from exact
    cross join info
)

select
    $month as month,
    rounded.level,
    rounded.grid_id,
    rounded.line,
    weight.weight,
    rounded.row_points,
    rounded.full_points,
    rounded.deduction,
    rounded.bonus,
    rounded.cap,
    case
        when rounded.missing = 0 and rounded.base is not null
            then rounded.cents::decimal(9, 0) * 0.01::decimal(3, 2)
    end::decimal(7, 2) as score,
    case
        when rounded.missing > 0 then 'not_reported'
        when rounded.base is null then 'not_applicable'
        else 'scored'
    end as state,
    rounded.measured_share,
    rounded.pooled_share
from rounded
semi join score.rule as rule
    on rounded.line = rule.line
    and rounded.level = rule.level
    and rule.month = $month
    and rule.is_line
inner join seed.line_weight as weight
    on rounded.line = weight.line
    and weight.valid_from <= $month
    and (weight.valid_to is null or weight.valid_to >= $month)
order by rounded.level, rounded.grid_id, rounded.line
