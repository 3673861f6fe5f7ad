-- grain: one row per unit and rubric row that is a rate
-- rule: ratio P·x; inverse P·(1−x); target P − k per point under t; bands;
--   day_bands P − Σ days, else as target; completion min(x,1)·P with the rest
--   as bonus; density P − k·n·per÷d; share P·own÷group; coefficient by place.
--   x is exact; every division rounds half up to 10⁻⁶ point
-- build: month
with basis as (
    select
        basis.*,
        rule.rule,
        rule.points::hugeint as p,
        rule.target::hugeint as target,
        rule.cap::hugeint as cap,
        rule.per::hugeint as per,
        step.k::hugeint as k,
        step.band,
        step.coefficient,
        step.group_sum,
        case when basis.state = 'measured' then day.taken end as days_taken,
        basis.numerator::hugeint as a,
        basis.denominator::hugeint as b
    from score.basis as basis
    inner join score.rule as rule
        on basis.indicator = rule.indicator
        and basis.level = rule.level
        and rule.month = $month
    inner join score.step as step
        on basis.indicator = step.indicator
        and basis.level = step.level
        and basis.grid_id = step.grid_id
        and step.month = $month
    left join score.day as day
        on basis.indicator = day.indicator
        and basis.level = day.level
        and basis.grid_id = day.grid_id
        and day.month = $month
    where basis.month = $month
),

scored as (
    select
        basis.*,
        case
            when basis.rule = 'share'
                then (2 * basis.p * basis.a + basis.group_sum) // nullif(2 * basis.group_sum, 0)
            when basis.b is null or basis.b = 0 then null
            when basis.rule in ('ratio', 'completion')
                then (2 * basis.p * basis.a + basis.b) // (2 * basis.b)
            when basis.rule = 'inverse'
                then (2 * basis.p * greatest(basis.b - basis.a, 0) + basis.b) // (2 * basis.b)
            when basis.rule = 'bands' then coalesce(basis.band, 0)
            when basis.rule = 'day_bands' and basis.days_taken is not null
                then basis.p - basis.days_taken
            when basis.rule in ('target', 'day_bands')
                then basis.p - (
                    2 * basis.k * greatest(basis.target * basis.b - basis.a * 1000000, 0)
                    + basis.b * 10000
                ) // (2 * basis.b * 10000)
            when basis.rule = 'density'
                then basis.p - (2 * basis.k * basis.a * basis.per + basis.b) // (2 * basis.b)
            when basis.rule = 'coefficient'
                then (2 * basis.p * coalesce(basis.coefficient, 0) + 1000000) // 2000000
        end as raw_points
    from basis
)

select
    $month as month,
    scored.level,
    scored.grid_id,
    scored.line,
    scored.indicator,
    scored.numerator,
    scored.denominator,
    scored.own_numerator,
    scored.own_denominator,
    coalesce(scored.own_denominator, 0) as n,
    -- greatest and least pass over a null; without points there is none.
    case
        when scored.raw_points is not null
            then least(greatest(scored.raw_points, 0), scored.p)
    end::bigint as points,
    scored.p::bigint as full_points,
    case
        when scored.raw_points is null and scored.state <> 'not_reported'
            then 'not_applicable'
        else scored.state
    end as state,
    case
        when scored.rule = 'completion' and scored.a > scored.b
            then least(
                scored.cap,
                (2 * scored.p * (scored.a - scored.b) + scored.b) // (2 * scored.b)
            )
        else 0
    end::bigint as bonus
from scored
order by scored.indicator, scored.level, scored.grid_id
