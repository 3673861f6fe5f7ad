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
        rule.k::hugeint as k,
        rule.cap::hugeint as cap,
        rule.per::hugeint as per,
        rule.valid_from,
        unit.peer_group,
        basis.numerator::hugeint as a,
        basis.denominator::hugeint as b
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
            order by basis.a * 1000000000000 // nullif(basis.b, 0) desc nulls last
        ) as place,
        sum(basis.a) over (
            partition by basis.indicator, basis.level, basis.peer_group
        ) as group_sum
    from basis
),

stepped as (
    select
        placed.indicator,
        placed.level,
        placed.grid_id,
        max(step.points) filter (
            placed.rule = 'bands'
            and placed.a * 1000000 >= step.threshold * placed.b
        ) as band,
        arg_max(step.points, step.threshold) filter (
            placed.rule = 'coefficient' and step.threshold <= placed.place
        ) as coefficient,
        max(step.points) filter (
            placed.rule = 'density' and step.part = placed.level::text
        ) as level_k
    from placed
    inner join seed.rubric_step as step
        on placed.indicator = step.indicator
        and placed.valid_from = step.valid_from
    group by placed.indicator, placed.level, placed.grid_id
),

taken as (
    select
        placed.*,
        stepped.band,
        stepped.coefficient,
        coalesce(stepped.level_k, placed.k) as density_k,
        case when placed.state = 'measured' then day.taken end as days_taken
    from placed
    left join stepped
        on placed.indicator = stepped.indicator
        and placed.level = stepped.level
        and placed.grid_id = stepped.grid_id
    left join score.day as day
        on placed.indicator = day.indicator
        and placed.level = day.level
        and placed.grid_id = day.grid_id
        and day.month = $month
),

scored as (
    select
        taken.*,
        case
            when taken.b is null or taken.b = 0 then null
            when taken.rule in ('ratio', 'completion')
                then (2 * taken.p * taken.a + taken.b) // (2 * taken.b)
            when taken.rule = 'inverse'
                then (2 * taken.p * greatest(taken.b - taken.a, 0) + taken.b) // (2 * taken.b)
            when taken.rule = 'bands' then coalesce(taken.band, 0)
            when taken.rule = 'day_bands' and taken.days_taken is not null
                then taken.p - taken.days_taken
            when taken.rule in ('target', 'day_bands')
                then taken.p - (
                    2 * taken.k * greatest(taken.target * taken.b - taken.a * 1000000, 0)
                    + taken.b * 10000
                ) // (2 * taken.b * 10000)
            when taken.rule = 'density'
                then taken.p - (2 * taken.density_k * taken.a * taken.per + taken.b) // (2 * taken.b)
            when taken.rule = 'share'
                then (2 * taken.p * taken.a + taken.group_sum) // nullif(2 * taken.group_sum, 0)
            when taken.rule = 'coefficient'
                then (2 * taken.p * coalesce(taken.coefficient, 0) + 1000000) // 2000000
        end as raw_points
    from taken
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
