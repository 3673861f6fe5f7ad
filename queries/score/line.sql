-- grain: one row per unit and line that exists at its level
-- rule: points of the measured rows on a base of 100, minus line deductions,
--   not below 0, plus bonus (at most 5, at most 105), then the cap of a veto;
--   rounded once to two places. One row not reported: the line is not scored
-- build: month
with info as (
    select info.rounding
    from core.month_info as info
    where info.month = $month
),

summed as (
    select
        points.level,
        points.grid_id,
        points.line,
        coalesce(sum(points.points), 0)::hugeint as row_points,
        sum(points.full_points) filter (points.points is not null)::hugeint as measured_points,
        sum(points.full_points)::hugeint as full_points,
        count(*) filter (points.state = 'not_reported') as missing,
        coalesce(sum(points.full_points) filter (points.state = 'measured'), 0)::hugeint as own_points,
        coalesce(sum(points.full_points) filter (points.state in ('pooled', 'no_sample')), 0)::hugeint as pooled_points
    from score.points as points
    where points.month = $month
    group by points.level, points.grid_id, points.line
),

based as (
    select
        summed.*,
        coalesce(adjustment.deduction, 0) as deduction,
        coalesce(adjustment.bonus, 0) as bonus,
        adjustment.cap,
        (2 * summed.row_points * 100000000 + summed.measured_points)
        // nullif(2 * summed.measured_points, 0) as base
    from summed
    left join score.adjustment as adjustment
        on summed.level = adjustment.level
        and summed.grid_id = adjustment.grid_id
        and summed.line = adjustment.line
        and adjustment.month = $month
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
    rounded.row_points::bigint as row_points,
    rounded.full_points::bigint as full_points,
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
    (rounded.own_points * 1000000 // rounded.full_points)::bigint as measured_share,
    (rounded.pooled_points * 1000000 // rounded.full_points)::bigint as pooled_share
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
